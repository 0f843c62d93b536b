#include "server/release_api.h"

#include "incident/memory_journal.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tagout::server {
namespace {

namespace json = boost::json;

constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 50));

/// Answers every step with "fine".
class FineTransport final : public recover::JourneyTransport {
public:
    Result<recover::StepAnswer> http(const recover::HttpStep&) override {
        return recover::StepAnswer{200, false, "fine", ""};
    }
    Result<recover::StepAnswer> mcp(const recover::McpStep&) override {
        return recover::StepAnswer{0, true, "stopped", ""};
    }
};

class ReleaseApi : public testing::Test {
protected:
    ReleaseApi() {
        catalog::Contents contents;
        contents.journeys.push_back({"good", {ToolName("a")}, {{"http", "GET http://h/", {}}}});
        contents.journeys.push_back({"bad", {ToolName("b")}, {{"mcp", "b {}", {}}}});
        catalog_ = std::make_shared<const catalog::Catalog>(std::move(contents));
        incidents_ = incident::Desk::make(journal_, clock_, catalog_, {});
        releases_ = recover::Releases::make(
            {journal_, clock_, *incidents_, metrics_, nullptr, nullptr}, catalog_, {}
        );
        journeys_ =
            recover::Journeys::make({journal_, clock_, metrics_, transport_}, catalog_, {});
    }

    Result<ReleaseAnswer> ask(
        std::string_view operation, std::string_view argument, const std::string& target,
        std::string_view body = "", const std::string& etag = ""
    ) {
        net::ServerRequest request;
        request.target = target;
        request.body = PaddedBytes::copy_of(body);
        if (!etag.empty()) {
            request.headers.emplace_back("If-None-Match", etag);
        }
        return answer_release({releases_.get(), journeys_.get(), &clock_}, operation, argument, request);
    }

    json::value good(
        std::string_view operation, std::string_view argument, const std::string& target,
        std::string_view body = ""
    ) {
        const Result<ReleaseAnswer> answer = ask(operation, argument, target, body);
        EXPECT_TRUE(answer.has_value()) << (answer ? "" : answer.error().message);
        return answer ? json::parse(answer->body) : json::value();
    }

    ManualClock clock_{noon};
    MetricRegistry metrics_;
    FineTransport transport_;
    incident::MemoryJournal journal_{clock_};
    std::shared_ptr<const catalog::Catalog> catalog_;
    std::unique_ptr<incident::Desk> incidents_;
    std::unique_ptr<recover::Releases> releases_;
    std::unique_ptr<recover::Journeys> journeys_;
};

constexpr std::string_view first =
    R"({"family":"prompt","name":"p","content":"one\n","message":"m","agent":"a","label":"production","actor":"ann"})";
constexpr std::string_view second =
    R"({"family":"prompt","name":"p","content":"two\n","message":"m","label":"production"})";

TEST_F(ReleaseApi, PublishesFetchesAndGoesBack) {
    const json::value made = good("publishVersion", "", "/v1/versions", first);
    EXPECT_EQ(made.at("number"), 1);
    EXPECT_EQ(made.at("author"), "person:ann");
    EXPECT_EQ(ask("publishVersion", "", "/v1/versions", second)->status, 201);

    const Result<ReleaseAnswer> fetched = ask("fetchPrompt", "p", "/v1/prompts/p?label=production");
    ASSERT_TRUE(fetched.has_value());
    EXPECT_EQ(json::parse(fetched->body).at("content"), "two\n");
    const Result<ReleaseAnswer> held = ask("fetchPrompt", "p", "/v1/prompts/p", "", fetched->etag);
    EXPECT_EQ(held->status, 304);
    EXPECT_EQ(held->body, "");
    EXPECT_EQ(held->etag, fetched->etag);

    const json::value list = good("listVersions", "", "/v1/versions?family=prompt&name=p&limit=1");
    EXPECT_EQ(list.at("total"), 2);
    ASSERT_EQ(list.at("versions").as_array().size(), 1U);
    EXPECT_EQ(list.at("versions").at(0).at("number"), 2);
    EXPECT_FALSE(list.at("versions").at(0).as_object().contains("content"));
    const std::string hash(made.at("hash").as_string());
    EXPECT_EQ(good("getVersion", hash, "/v1/versions/" + hash).at("content"), "one\n");

    const json::value diff = good("diffVersions", "", "/v1/diff?family=prompt&name=p&from=1&to=production");
    EXPECT_EQ(diff.at("added"), 1);
    EXPECT_NE(diff.at("text").as_string().find("-one\n+two\n"), json::string::npos);

    const json::value back = good(
        "rollback", "", "/v1/rollback",
        R"({"family":"prompt","name":"p","reason":"worse","actor":"ann"})"
    );
    EXPECT_EQ(back.at("moves").at(0).at("to"), 1);
    EXPECT_EQ(back.at("target"), "previous");
    EXPECT_NE(ask("fetchPrompt", "p", "/v1/prompts/p", "", fetched->etag)->status, 304);

    const json::value bundles = good("listBundles", "", "/v1/bundles?agent=a");
    EXPECT_EQ(bundles.at("bundles").as_array().size(), 2U);
    const json::value file = good("exportBundle", "a", "/v1/bundles/a");
    EXPECT_EQ(file.at("tagout_bundle"), 1);
    EXPECT_EQ(file.at("versions").at(0).at("content"), "one\n");
    EXPECT_EQ(good("makeBundle", "", "/v1/bundles", R"({"agent":"a","reason":"r"})").at("id"),
              file.at("bundle").at("id"));
    EXPECT_EQ(
        good("moveLabel", "", "/v1/labels",
             R"({"family":"prompt","name":"p","label":"canary","to":"v2","reason":"try"})")
            .at("labels").at(0),
        "canary"
    );
    EXPECT_TRUE(good("listFreezes", "", "/v1/freezes").at("freezes").as_array().empty());
}

TEST_F(ReleaseApi, JourneysAreRunAndListed) {
    const json::value all = good("runJourneys", "", "/v1/journeys/run", R"({"actor":"ann"})");
    EXPECT_EQ(all.at("passed"), false);
    EXPECT_EQ(all.at("runs").as_array().size(), 2U);
    const json::value one = good("runJourneys", "", "/v1/journeys/run", R"({"names":["good"]})");
    EXPECT_EQ(one.at("passed"), true);
    const json::value list = good("listJourneys", "", "/v1/journeys");
    EXPECT_EQ(list.at("journeys").at(0).at("runs").as_array().size(), 2U);
    EXPECT_EQ(list.at("journeys").at(1).at("runs").at(0).at("seen"), "is_error true: stopped");
}

TEST_F(ReleaseApi, AMistakeNamesPlaceAndRemedy) {
    struct Row {
        const char* operation;
        const char* target;
        const char* body;
        ErrorCode code;
        const char* says;
    };
    const Row rows[] = {
        {"publishVersion", "/", "", ErrorCode::InvalidArgument, "'family' is missing"},
        {"publishVersion", "/", R"({"family":"x"})", ErrorCode::InvalidArgument, "one of prompt"},
        {"publishVersion", "/", R"({"family":"prompt","name":"p","content":"c","message":"m","colour":"red"})",
         ErrorCode::InvalidArgument, "'colour' is not known"},
        {"moveLabel", "/", R"({"family":"prompt","name":"p","label":"x","to":"1"})",
         ErrorCode::InvalidArgument, "'reason' is missing"},
        {"moveLabel", "/", R"({"family":"prompt","name":"p","label":"x","to":"1","reason":"r"})",
         ErrorCode::NotFound, "none is published yet"},
        {"rollback", "/", R"({"family":"x","name":"p","reason":"r"})", ErrorCode::InvalidArgument, "bundle"},
        {"rollback", "/", R"({"family":"prompt","name":"p","to":"v9","reason":"r"})", ErrorCode::NotFound, "no prompt"},
        {"runJourneys", "/", R"({"names":"good"})", ErrorCode::InvalidArgument, "list of strings"},
        {"runJourneys", "/", R"({"names":["x"]})", ErrorCode::NotFound, "good, bad"},
        {"listVersions", "/v1/versions?limit=0", "", ErrorCode::InvalidArgument, "1 to 1000"},
        {"listVersions", "/v1/versions?family=x", "", ErrorCode::InvalidArgument, "one of prompt"},
        {"diffVersions", "/v1/diff?family=prompt", "", ErrorCode::InvalidArgument, "'from'"},
        {"getVersion", "/v1/versions/ff", "", ErrorCode::NotFound, "no version"},
        {"exportBundle", "/v1/bundles/x", "", ErrorCode::NotFound, "no bundle"},
        {"fetchPolicy", "/v1/policies/x", "", ErrorCode::NotFound, "no policy"},
    };
    for (const Row& row : rows) {
        const Result<ReleaseAnswer> answer = ask(row.operation, "x", row.target, row.body);
        ASSERT_FALSE(answer.has_value()) << row.operation << row.body;
        EXPECT_EQ(answer.error().code, row.code) << answer.error().message;
        EXPECT_NE(answer.error().message.find(row.says), std::string::npos)
            << answer.error().message;
    }
    EXPECT_TRUE(journal_.entries().empty());
}

}  // namespace
}  // namespace tagout::server
