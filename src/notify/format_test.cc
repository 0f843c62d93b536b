// What each receiver gets, field by field, and that no text however long or strange breaks a limit.

#include "notify/format.h"

#include "notify/content_json.h"
#include "notify/notice_examples.h"
#include "notify/secret.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <string>

namespace tagout::notify {
namespace {

namespace json = boost::json;

const std::string webhook_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string routing_key = "0123456789abcdef0123456789abcdef";

Target target_with(std::string secret, std::string url = "http://127.0.0.1:1/hook") {
    return {
        .url = std::move(url),
        .secret = std::move(secret),
        .now = noon + std::chrono::minutes(1),
        .keeps = std::chrono::minutes(5),
    };
}

std::string header(const net::HttpRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers) {
        if (key == name) {
            return value;
        }
    }
    return "";
}

json::value body_of(const Formatted& request) {
    EXPECT_TRUE(request.has_value()) << (request ? "" : request.error().message);
    return request ? json::parse(request->body) : json::value();
}

std::string text(const json::value& value, std::string_view pointer) {
    boost::system::error_code error;
    const json::value* const found = value.find_pointer(pointer, error);
    if (found == nullptr) {
        return "(absent)";
    }
    return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}

std::size_t code_points(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) {
        count += (c & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

/// HMAC-SHA256 by another library than the one under test.
std::string expected_signature(
    const std::string& key_base64, const std::string& id, const std::string& time,
    const std::string& body
) {
    std::array<unsigned char, 128> key{};
    const int decoded = EVP_DecodeBlock(
        key.data(), reinterpret_cast<const unsigned char*>(key_base64.data()),
        static_cast<int>(key_base64.size())
    );
    const std::string content = id + "." + time + "." + body;
    std::array<unsigned char, 32> mac{};
    unsigned size = 0;
    HMAC(
        EVP_sha256(), key.data(), decoded, reinterpret_cast<const unsigned char*>(content.data()),
        content.size(), mac.data(), &size
    );
    std::array<unsigned char, 64> text{};
    EVP_EncodeBlock(text.data(), mac.data(), static_cast<int>(size));
    return "v1," + std::string(reinterpret_cast<const char*>(text.data()));
}

TEST(Signature, MatchesTheVectorThatEveryLibraryOfStandardWebhooksTests) {
    const Result<std::string> signature = sign_webhook(
        webhook_secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"
    );
    ASSERT_TRUE(signature.has_value());
    EXPECT_EQ(*signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Signature, RefusesSecretsThatAreTooShortTooLongOrNoBase64) {
    const struct {
        const char* name;
        std::string secret;
    } rows[] = {
        {"sixteen bytes", "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="},
        {"not base64", "whsec_*************************"},
        {"a plain password", "correct horse battery staple"},
        {"empty", "whsec_          "},
        {"seventy bytes", "whsec_" + std::string(96, 'A')},
    };
    for (const auto& row : rows) {
        const Result<std::string> signature = sign_webhook(row.secret, "id", 1, "{}");
        ASSERT_FALSE(signature.has_value()) << row.name;
        EXPECT_EQ(signature.error().code, ErrorCode::InvalidArgument) << row.name;
        EXPECT_EQ(signature.error().message.find(row.secret.substr(6, 10)), std::string::npos)
            << row.name << ": the message repeats the secret";
    }
}

TEST(Webhook, CarriesTypeTimeDataAndASignatureThatAnotherLibraryConfirms) {
    const Notice notice = refund_notice(ChannelType::Webhook, Event::Declared);
    const Formatted request = format(notice, target_with(webhook_secret));
    const json::value body = body_of(request);
    EXPECT_EQ(request->method, "POST");
    EXPECT_EQ(header(*request, "Content-Type"), "application/json");
    EXPECT_EQ(header(*request, "webhook-id"), notice.view.id);
    EXPECT_EQ(header(*request, "webhook-timestamp"), "1795521660");  // noon and a minute
    EXPECT_EQ(
        header(*request, "webhook-signature"),
        expected_signature(
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", notice.view.id, "1795521660", request->body
        )
    );
    EXPECT_EQ(text(body, "/type"), "incident.declared");
    EXPECT_EQ(text(body, "/timestamp"), "2026-11-24T12:00:00.000Z");
    EXPECT_EQ(text(body, "/data/id"), "INC-7");
    EXPECT_EQ(text(body, "/data/class"), "tool");
    EXPECT_EQ(text(body, "/data/severity"), "SEV2");
    EXPECT_EQ(text(body, "/data/state"), "declared");
    EXPECT_EQ(text(body, "/data/agent"), "refund-agent");
    EXPECT_EQ(text(body, "/data/owner/team"), "payments");
    EXPECT_EQ(text(body, "/data/impact/failed_sessions"), "3");
    EXPECT_EQ(text(body, "/data/signals/0"), "tool.unexpected_write");
    EXPECT_EQ(text(body, "/data/link"), "https://tagout.example/incidents/INC-7");
}

TEST(Webhook, IsTheSameBodyAtEveryAttemptUnderANewTimestampAndSignature) {
    const Notice notice = refund_notice(ChannelType::Webhook, Event::Declared);
    Target later = target_with(webhook_secret);
    later.now += std::chrono::minutes(5);
    const Formatted first = format(notice, target_with(webhook_secret));
    const Formatted second = format(notice, later);
    EXPECT_EQ(first->body, second->body);
    EXPECT_EQ(header(*first, "webhook-id"), header(*second, "webhook-id"));
    EXPECT_NE(header(*first, "webhook-timestamp"), header(*second, "webhook-timestamp"));
    EXPECT_NE(header(*first, "webhook-signature"), header(*second, "webhook-signature"));
}

TEST(Webhook, WithoutASecretSaysNothingAboutASignature) {
    const Formatted request =
        format(refund_notice(ChannelType::Webhook, Event::Declared), target_with(""));
    ASSERT_TRUE(request.has_value());
    EXPECT_EQ(header(*request, "webhook-signature"), "");
    EXPECT_NE(header(*request, "webhook-id"), "");
}

TEST(Slack, HasAFallbackTextAndBlocksWithEscapedWords) {
    const Formatted request = format(
        refund_notice(ChannelType::Slack, Event::Escalated),
        target_with("https://hooks.slack.example/services/T/B/secret")
    );
    const json::value body = body_of(request);
    EXPECT_EQ(request->url, "https://hooks.slack.example/services/T/B/secret");
    EXPECT_EQ(
        text(body, "/text"),
        "SEV2 INC-7 escalated: refund-agent sends money that nobody asked for"
    );
    EXPECT_EQ(text(body, "/blocks/0/type"), "header");
    EXPECT_EQ(text(body, "/blocks/0/text/type"), "plain_text");
    const std::string words = text(body, "/blocks/1/text/text");
    EXPECT_NE(words.find("&amp; nobody asked &lt;for&gt; it"), std::string::npos) << words;
    EXPECT_EQ(
        text(body, "/blocks/3/elements/0/url"), "https://tagout.example/incidents/INC-7"
    );
}

TEST(PagerDuty, TriggersAndResolvesUnderOneKey) {
    const Target target = target_with(routing_key, "");
    const Formatted trigger =
        format(refund_notice(ChannelType::PagerDuty, Event::Declared), target);
    const json::value opened = body_of(trigger);
    EXPECT_EQ(trigger->url, "https://events.pagerduty.com/v2/enqueue");
    EXPECT_EQ(text(opened, "/routing_key"), routing_key);
    EXPECT_EQ(text(opened, "/event_action"), "trigger");
    EXPECT_EQ(text(opened, "/dedup_key"), "tagout:INC-7");
    EXPECT_EQ(text(opened, "/payload/severity"), "error");
    EXPECT_EQ(text(opened, "/payload/source"), "refund-agent");
    EXPECT_EQ(text(opened, "/payload/component"), "send_refund");
    EXPECT_EQ(text(opened, "/payload/group"), "refund-agent");
    EXPECT_EQ(text(opened, "/payload/class"), "tool");
    EXPECT_EQ(text(opened, "/payload/timestamp"), "2026-11-24T12:00:00.000Z");
    EXPECT_EQ(text(opened, "/payload/custom_details/writes"), "3");
    EXPECT_EQ(text(opened, "/links/0/href"), "https://tagout.example/incidents/INC-7");

    const json::value over =
        body_of(format(refund_notice(ChannelType::PagerDuty, Event::Resolved), target));
    EXPECT_EQ(text(over, "/event_action"), "resolve");
    EXPECT_EQ(text(over, "/dedup_key"), "tagout:INC-7");
    EXPECT_EQ(text(over, "/payload"), "(absent)");
}

TEST(PagerDuty, MapsEverySeverity) {
    const struct {
        Severity severity;
        const char* expected;
    } rows[] = {
        {Severity::Sev1, "critical"}, {Severity::Sev2, "error"}, {Severity::Sev3, "warning"}
    };
    for (const auto& row : rows) {
        Notice notice = refund_notice(ChannelType::PagerDuty, Event::Declared);
        notice.content.severity = row.severity;
        const json::value body = body_of(format(notice, target_with(routing_key)));
        EXPECT_EQ(text(body, "/payload/severity"), row.expected);
    }
}

TEST(PagerDuty, AKeyOfAnotherLengthIsAMistakeOfTheChannelAndIsNotShown) {
    const Formatted request =
        format(refund_notice(ChannelType::PagerDuty, Event::Declared), target_with("tooshortkey"));
    ASSERT_FALSE(request.has_value());
    EXPECT_EQ(request.error().message.find("tooshortkey"), std::string::npos);
    EXPECT_NE(request.error().message.find("32 characters"), std::string::npos);
}

TEST(Alertmanager, FiresUntilFiveMinutesFromNowAndEndsWhenResolved) {
    const Target target = target_with("", "http://127.0.0.1:9093/");
    const Formatted firing =
        format(refund_notice(ChannelType::Alertmanager, Event::Declared), target);
    const json::value open = body_of(firing);
    EXPECT_EQ(firing->url, "http://127.0.0.1:9093/api/v2/alerts");
    EXPECT_EQ(header(*firing, "Authorization"), "");
    EXPECT_EQ(open.as_array().size(), 1u);
    EXPECT_EQ(text(open, "/0/labels/alertname"), "TagoutIncident");
    EXPECT_EQ(text(open, "/0/labels/incident"), "INC-7");
    EXPECT_EQ(text(open, "/0/labels/severity"), "error");
    EXPECT_EQ(text(open, "/0/labels/class"), "tool");
    EXPECT_EQ(text(open, "/0/labels/team"), "payments");
    EXPECT_EQ(text(open, "/0/startsAt"), "2026-11-24T11:57:00.000Z");
    EXPECT_EQ(text(open, "/0/endsAt"), "2026-11-24T12:06:00.000Z");
    EXPECT_EQ(text(open, "/0/generatorURL"), "https://tagout.example/incidents/INC-7");

    const json::value over =
        body_of(format(refund_notice(ChannelType::Alertmanager, Event::Resolved), target));
    EXPECT_EQ(json::serialize(over.at(0).at("labels")), json::serialize(open.at(0).at("labels")));
    EXPECT_EQ(text(over, "/0/endsAt"), "2026-11-24T13:00:00.000Z");
}

TEST(Alertmanager, AnEscalationEndsTheAlertWithTheOldSeverity) {
    Notice notice = refund_notice(ChannelType::Alertmanager, Event::Escalated);
    notice.content.severity = Severity::Sev1;
    notice.content.escalated_from = Severity::Sev2;
    const json::value body = body_of(format(notice, target_with("")));
    ASSERT_EQ(body.as_array().size(), 2u);
    EXPECT_EQ(text(body, "/0/labels/severity"), "critical");
    EXPECT_EQ(text(body, "/0/endsAt"), "2026-11-24T12:06:00.000Z");
    EXPECT_EQ(text(body, "/1/labels/severity"), "error");
    EXPECT_EQ(text(body, "/1/endsAt"), "2026-11-24T12:01:00.000Z");
}

TEST(Alertmanager, LeavesOutLabelsThatWouldBeEmptyAndSendsABearerTokenIfThereIsOne) {
    Notice notice = refund_notice(ChannelType::Alertmanager, Event::Declared);
    notice.content.tool.clear();
    const Formatted request = format(notice, target_with("token-of-the-proxy"));
    EXPECT_EQ(text(body_of(request), "/0/labels/tool"), "(absent)");
    EXPECT_EQ(header(*request, "Authorization"), "Bearer token-of-the-proxy");
}

/// An incident whose every text is as long and as strange as telemetry can make it.
Notice monstrous(ChannelType type, const std::string& piece) {
    std::string huge;
    while (huge.size() < 40'000) {
        huge += piece;
    }
    incident::Incident incident = refund_incident();
    incident.title = huge;
    incident.severity_reason = huge;
    incident.cause = huge;
    incident.agent = AgentName(huge);
    incident.workflow = WorkflowName(huge);
    incident.tool = ToolName(huge);
    incident.service = huge;
    incident.environment = huge;
    incident.owner.team = huge;
    incident.owner.contact = huge;
    incident.findings[0].evidence = huge;
    incident.signals.assign(500, huge);
    Notice notice = refund_notice(type, Event::Declared);
    notice.content = describe_incident(incident, entry_of(1, huge).draft, "https://tagout.example");
    return notice;
}

void each_string(const json::value& value, const std::function<void(std::string_view)>& visit) {
    if (value.is_string()) {
        visit(value.get_string());
    } else if (value.is_object()) {
        for (const auto& member : value.get_object()) {
            each_string(member.value(), visit);
        }
    } else if (value.is_array()) {
        for (const json::value& element : value.get_array()) {
            each_string(element, visit);
        }
    }
}

TEST(Limits, HoldForEveryFormatWhateverTheTextsHold) {
    const struct {
        const char* name;
        std::string piece;
    } rows[] = {
        {"plain", "a"},
        {"characters that Slack escapes", "&<>"},
        {"emoji", "\xF0\x9F\x94\xA5"},
        {"two-byte letters", "\u00e4"},
        {"broken UTF-8", "\xff\xc3\xe2\x82"},
        {"quotes, backslashes, control characters", std::string("\"\\\x01\x1f\n\t\0", 7)},
        {"overlong and surrogate forms", "\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80"},
    };
    for (const auto& row : rows) {
        const Formatted webhook = format(monstrous(ChannelType::Webhook, row.piece), target_with(""));
        body_of(webhook);
        EXPECT_LT(webhook->body.size(), 20'000u) << row.name;

        const Formatted pager =
            format(monstrous(ChannelType::PagerDuty, row.piece), target_with(routing_key));
        const json::value event = body_of(pager);
        EXPECT_LE(code_points(text(event, "/payload/summary")), 1024u) << row.name;
        EXPECT_LT(pager->body.size(), 512u * 1024) << row.name;

        const json::value message =
            body_of(format(monstrous(ChannelType::Slack, row.piece), target_with("")));
        EXPECT_LE(code_points(text(message, "/blocks/0/text/text")), 150u) << row.name;
        EXPECT_LE(code_points(text(message, "/blocks/1/text/text")), 3000u) << row.name;
        for (const json::value& field : message.at_pointer("/blocks/2/fields").as_array()) {
            EXPECT_LE(code_points(text(field, "/text")), 2000u) << row.name;
        }
        std::size_t all = 0;
        each_string(message, [&](std::string_view piece) { all += code_points(piece); });
        EXPECT_LT(all, 13'000u) << row.name;

        body_of(format(monstrous(ChannelType::Alertmanager, row.piece), target_with("")));
    }
}

TEST(Clean, CutsAtCodePointsAndMendsBrokenBytes) {
    const struct {
        const char* name;
        std::string text;
        std::size_t max;
        std::string expected;
    } rows[] = {
        {"fits exactly", "abcde", 5, "abcde"},
        {"one too many", "abcdef", 5, "abcd\u2026"},
        {"letters of two bytes count once", "\u00e4\u00f6\u00fc", 3, "\u00e4\u00f6\u00fc"},
        {"an emoji is not torn", "ab\xF0\x9F\x94\xA5" "cd", 3, "ab\u2026"},
        {"a cut-off character", "ab\xe2\x82", 9, "ab\uFFFD\uFFFD"},
        {"a surrogate", "\xed\xa0\x80", 9, "\uFFFD\uFFFD\uFFFD"},
        {"control characters but newline", "a\x01\tb\nc\x7f", 9, "a  b\nc "},
        {"nothing", "", 5, ""},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(clean(row.text, row.max), row.expected) << row.name;
    }
}

TEST(Content, ComesBackFromItsJson) {
    Notice notice = refund_notice(ChannelType::Webhook, Event::Resolved);
    notice.content.escalated_from = Severity::Sev3;
    const std::string written = to_json(notice.content);
    const Result<Content> read = parse_content(written);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(to_json(*read), written);
    EXPECT_EQ(read->resolved_at, noon + std::chrono::hours(1));
    EXPECT_EQ(read->escalated_from, Severity::Sev3);
}

TEST(Content, ARealIncidentHasNoPrefixAndADrillSaysWhatItIs) {
    incident::Incident incident = refund_incident();
    const journal::EntryDraft draft = entry_of(1, "").draft;
    EXPECT_TRUE(describe_incident(incident, draft, "").title.starts_with("refund-agent"));
    EXPECT_EQ(describe_incident(incident, draft, "").link, "");
    incident.kind = IncidentKind::Drill;
    EXPECT_TRUE(describe_incident(incident, draft, "").title.starts_with("[DRILL] refund-agent"));
}

TEST(Content, DamagedJsonIsRefusedWithTheMembersName) {
    const std::string whole = to_json(refund_notice(ChannelType::Webhook, Event::Declared).content);
    std::string wrong = whole;
    wrong.replace(wrong.find("\"SEV2\""), 6, "\"SEV9\"");
    const Result<Content> read = parse_content(wrong);
    ASSERT_FALSE(read.has_value());
    EXPECT_NE(read.error().message.find("'severity'"), std::string::npos) << read.error().message;
    for (std::size_t cut = 0; cut < whole.size(); cut += 7) {
        EXPECT_FALSE(parse_content(std::string_view(whole).substr(0, cut)).has_value()) << cut;
    }
}

TEST(Scrub, TakesOutSecretAndUrlWherverTheyStand) {
    const std::string url = "https://hooks.slack.example/services/T/B/secret";
    EXPECT_EQ(
        scrub("cannot reach " + url + ": key MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", webhook_secret, url),
        "cannot reach [secret]: key [secret]"
    );
    EXPECT_EQ(scrub("nothing here", "", ""), "nothing here");
}

}  // namespace
}  // namespace tagout::notify
