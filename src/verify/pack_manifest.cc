#include "verify/pack_manifest.h"

#include "journal/chain.h"

#include <boost/json.hpp>

namespace tagout::verify {

namespace {

namespace json = boost::json;

constexpr unsigned depth_max = 16;

/// Reads members of one object and remembers the first that is not as it must be.
class Members {
public:
    Members(const json::value& value, std::string place, std::string& problem)
        : place_(std::move(place)), problem_(&problem) {
        if (value.is_object()) {
            object_ = &value.as_object();
        } else {
            note("", "must be an object");
        }
    }

    std::string text(std::string_view name) {
        const json::value* const value = find(name);
        if (value == nullptr || !value->is_string()) {
            note(name, "must be a string");
            return {};
        }
        return std::string(value->as_string());
    }
    std::uint64_t number(std::string_view name) {
        const json::value* const value = find(name);
        boost::system::error_code error;
        const std::uint64_t read = value == nullptr ? 0 : value->to_number<std::uint64_t>(error);
        if (value == nullptr || error || value->is_double()) {
            note(name, "must be a whole number");
            return 0;
        }
        return read;
    }
    json::value child(std::string_view name) {
        const json::value* const value = find(name);
        return value == nullptr ? json::value() : *value;
    }
    const json::array& list(std::string_view name) {
        static const json::array none;
        const json::value* const value = find(name);
        if (value == nullptr || !value->is_array()) {
            note(name, "must be an array");
            return none;
        }
        return value->as_array();
    }
    void note(std::string_view name, std::string_view what) {
        if (problem_->empty()) {
            *problem_ = place_ + std::string(name) + " " + std::string(what);
        }
    }

private:
    const json::value* find(std::string_view name) const {
        return object_ == nullptr ? nullptr : object_->if_contains(name);
    }

    const json::object* object_ = nullptr;
    std::string place_;
    std::string* problem_;
};

journal::Digest digest_at(Members& members, std::string_view name) {
    const std::optional<journal::Digest> digest = journal::digest_of_hex(members.text(name));
    if (!digest) {
        members.note(name, "must be 64 hex digits");
        return {};
    }
    return *digest;
}

}  // namespace

void chain_files(std::vector<ManifestFile>& files) {
    std::string before(64, '0');
    for (ManifestFile& file : files) {
        before = journal::to_hex(sha256(
            before + "\n" + file.name + "\n" + std::to_string(file.size) + "\n" + file.sha256 + "\n"
        ));
        file.chain = before;
    }
}

std::string to_json(const Manifest& manifest) {
    json::array files;
    for (const ManifestFile& file : manifest.files) {
        files.push_back(json::object{
            {"name", file.name}, {"size", file.size}, {"sha256", file.sha256}, {"chain", file.chain}}
        );
    }
    json::array entries;
    for (const ManifestEntry& entry : manifest.journal) {
        entries.push_back(json::object{{"sequence", entry.sequence}, {"hash", entry.hash}});
    }
    json::array cut;
    for (const std::string& each : manifest.cut) {
        cut.push_back(json::string(each));
    }
    const json::object out{
        {"format", pack_format_name},
        {"format_version", pack_format},
        {"incident", manifest.incident.text()},
        {"created_at", manifest.created_at},
        {"created_at_s", manifest.created_at_s},
        {"by", manifest.by},
        {"reason", manifest.reason},
        {"tagout_version", manifest.tagout_version},
        {"signature", json::object{{"algorithm", "ed25519"}, {"public_key", manifest.signer}}},
        {"journal",
         json::object{
             {"encoding", journal::chain_tag},
             {"head",
              json::object{
                  {"sequence", manifest.head.sequence}, {"hash", journal::to_hex(manifest.head.hash)}}},
             {"entries", std::move(entries)}}},
        {"cut", std::move(cut)},
        {"files", std::move(files)},
    };
    return json::serialize(out) + "\n";
}

Result<Manifest> parse_manifest(std::string_view text) {
    json::parse_options options;
    options.max_depth = depth_max;
    boost::system::error_code error;
    const json::value tree = json::parse(text, error, {}, options);
    if (error) {
        return fail(ErrorCode::InvalidArgument, "it is not JSON: " + error.message());
    }
    std::string problem;
    Manifest manifest;
    Members root(tree, "", problem);
    if (root.text("format") != pack_format_name) {
        root.note("format", "is not \"" + std::string(pack_format_name) + "\"");
    }
    if (root.number("format_version") != pack_format) {
        root.note("format_version", "is not 1; a newer Tagout made this pack");
    }
    manifest.incident = IncidentId(root.text("incident"));
    manifest.created_at = root.text("created_at");
    manifest.created_at_s = static_cast<std::int64_t>(root.number("created_at_s"));
    manifest.by = root.text("by");
    manifest.reason = root.text("reason");
    manifest.tagout_version = root.text("tagout_version");
    const json::value signature = root.child("signature");
    manifest.signer = Members(signature, "signature.", problem).text("public_key");
    const json::value chain = root.child("journal");
    Members journal(chain, "journal.", problem);
    const json::value head = journal.child("head");
    Members end(head, "journal.head.", problem);
    manifest.head = {end.number("sequence"), digest_at(end, "hash")};
    for (const json::value& each : journal.list("entries")) {
        Members entry(each, "journal.entries.", problem);
        manifest.journal.push_back({entry.number("sequence"), entry.text("hash")});
    }
    for (const json::value& each : root.list("cut")) {
        manifest.cut.emplace_back(each.is_string() ? each.as_string() : json::string());
    }
    for (const json::value& each : root.list("files")) {
        Members file(each, "files.", problem);
        manifest.files.push_back(
            {file.text("name"), file.number("size"), file.text("sha256"), file.text("chain")}
        );
    }
    if (!problem.empty()) {
        return fail(ErrorCode::InvalidArgument, std::move(problem));
    }
    return manifest;
}

}  // namespace tagout::verify
