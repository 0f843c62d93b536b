#include "catalog/workflow_profile.h"

#include "catalog/version.h"

#include <xxhash.h>
#include <boost/json.hpp>

#include <algorithm>
#include <optional>

namespace tagout::catalog {

namespace {

namespace json = boost::json;

constexpr std::string_view form_name = "tagout.profile/1";

constexpr std::string_view open_mark = "=*";
constexpr std::string_view requests_name = "requests";
constexpr std::size_t request_line_frame = 8;  ///< Indent, quotes, comma, line end.

constexpr std::size_t json_bytes_max() {
    std::size_t bytes = 1'024;
    for (const ProfileFacetInfo& facet : profile_facet_table) {
        bytes +=
            facet.keys_max * (facet.key_bytes_max + 20);  // quotes, indent, a count of ten digits
    }
    return bytes;
}
static_assert(json_bytes_max() <= WorkflowProfile::content_bytes_max);

std::string hash_text(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::uint64_t hash = XXH3_64bits(text.data(), text.size());
    std::string out(12, '0');
    for (char& c : out) {
        c = digits[hash & 15U];
        hash >>= 4U;
    }
    return out;
}

/// What JSON must escape, and what would break a line of a comparison, is replaced: keys are names.
std::string clean_key(ProfileFacet facet, std::string_view key) {
    const std::size_t bytes_max = info_of(facet).key_bytes_max;
    std::string clean(key);
    if (clean.size() > bytes_max) {
        const std::string hash = hash_text(key);
        clean.resize(bytes_max > hash.size() ? bytes_max - hash.size() - 1 : 0);
        while (!clean.empty() && (static_cast<unsigned char>(clean.back()) & 0x80U) != 0) {
            clean.pop_back();  // not in the middle of a character
        }
        clean += "#" + hash;
    }
    for (char& c : clean) {
        if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') {
            c = '_';
        }
    }
    return clean;
}

bool needs_cleaning(ProfileFacet facet, std::string_view key) noexcept {
    const std::size_t bytes_max = info_of(facet).key_bytes_max;
    return key.size() > bytes_max || std::ranges::any_of(key, [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
           });
}

std::optional<std::uint64_t> whole_number(const json::value& value) {
    if (const std::int64_t* const number = value.if_int64(); number != nullptr && *number >= 0) {
        return static_cast<std::uint64_t>(*number);
    }
    if (const std::uint64_t* const number = value.if_uint64()) {
        return *number;
    }
    return std::nullopt;
}

std::unexpected<Error> no_count(const std::string& place) {
    return fail(
        ErrorCode::InvalidArgument,
        place + ": a whole number of good sessions was expected, such as 25"
    );
}

const ProfileFacetInfo* facet_named(std::string_view name) noexcept {
    const auto found = std::ranges::find(profile_facet_table, name, &ProfileFacetInfo::name);
    return found == profile_facet_table.end() ? nullptr : &*found;
}

Result<json::object> object_in(std::string_view text) {
    boost::system::error_code error;
    json::value tree = json::parse(text, error);
    if (error || !tree.is_object()) {
        return fail(
            ErrorCode::InvalidArgument,
            "a profile is a JSON object" + (error ? " (" + error.message() + ")" : std::string()) +
                "; tagout catalog show prints one"
        );
    }
    return std::move(tree.as_object());
}

Result<std::vector<std::string>> request_lines_in(const json::value& value) {
    const auto no_lines = [] {
        return fail(
            ErrorCode::InvalidArgument,
            "requests: an array of strings of lower-case hexadecimal digits was expected, as "
            "learned"
        );
    };
    if (!value.is_array()) {
        return no_lines();
    }
    std::vector<std::string> lines;
    std::size_t bytes = 0;
    for (const json::value& each : value.as_array()) {
        if (!each.is_string() || each.as_string().empty() ||
            each.as_string().find_first_not_of("0123456789abcdef") != json::string::npos) {
            return no_lines();
        }
        bytes += each.as_string().size() + request_line_frame;
        lines.emplace_back(std::string_view(each.as_string()));
    }
    if (lines.size() > WorkflowProfile::requests_max ||
        bytes > WorkflowProfile::requests_bytes_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "requests: at most " + std::to_string(WorkflowProfile::requests_max) + " in " +
                std::to_string(WorkflowProfile::requests_bytes_max) + " bytes are kept"
        );
    }
    return lines;
}

/// Whether the argument of `key` ("TOOL.a HASH") has as many values as are kept.
bool is_full(const WorkflowProfile::Counts& counts, std::string_view key) {
    const std::size_t blank = key.rfind(' ');
    if (blank == std::string_view::npos) {
        return false;
    }
    const std::string_view head = key.substr(0, blank + 1);
    std::size_t values = 0;
    for (auto at = counts.lower_bound(head); at != counts.end() && at->first.starts_with(head);
         ++at) {
        ++values;
    }
    return values >= WorkflowProfile::values_per_argument_max;
}

}  // namespace

void WorkflowProfile::learn(ProfileFacet facet, std::string_view key) {
    Facet& mine = facets_[static_cast<std::size_t>(facet)];
    std::string cleaned;
    if (needs_cleaning(facet, key)) {
        cleaned = clean_key(facet, key);
        key = cleaned;
    }
    if (facet == ProfileFacet::Values && opens(key)) {
        return;
    }
    const auto known = mine.counts.find(key);
    if (known != mine.counts.end()) {
        ++known->second;
    } else if (facet == ProfileFacet::WrittenValues && is_full(mine.counts, key)) {
        return;
    } else if (mine.counts.size() < info_of(facet).keys_max) {
        mine.counts.emplace(key, 1);
    } else {
        ++mine.refused;
    }
}

bool WorkflowProfile::opens(std::string_view key) {
    const std::size_t end = key.find('=');
    if (end == std::string_view::npos) {
        return false;
    }
    Counts& values = facets_[static_cast<std::size_t>(ProfileFacet::Values)].counts;
    const std::string argument(key.substr(0, end));
    const std::string open_key = argument + std::string(open_mark);
    const auto open = values.find(open_key);
    if (open != values.end()) {
        ++open->second;
        return true;
    }
    const auto first = values.lower_bound(argument + "=");
    const auto last = values.lower_bound(argument + ">");  // the byte behind '='
    if (values.contains(key) || static_cast<std::size_t>(std::distance(first, last)) < values_max) {
        return false;
    }
    std::uint64_t count = 1;
    for (auto value = first; value != last; ++value) {
        count += value->second;
    }
    values.erase(first, last);
    values.emplace(open_key, count);
    return true;
}

bool WorkflowProfile::is_open(std::string_view argument) const {
    return count(ProfileFacet::Values, std::string(argument) + std::string(open_mark)) > 0;
}

void WorkflowProfile::merge(const WorkflowProfile& other) {
    sessions_ += other.sessions_;
    for (std::size_t i = 0; i < facets_.size(); ++i) {
        Facet& mine = facets_[i];
        mine.refused += other.facets_[i].refused;
        for (const auto& [key, count] : other.facets_[i].counts) {
            const auto known = mine.counts.find(key);
            if (known != mine.counts.end()) {
                known->second += count;
            } else if (mine.counts.size() < profile_facet_table[i].keys_max) {
                mine.counts.emplace(key, count);
            } else {
                mine.refused += count;
            }
        }
    }
}

void WorkflowProfile::take_away(const WorkflowProfile& part) {
    sessions_ -= std::min(sessions_, part.sessions_);
    for (std::size_t i = 0; i < facets_.size(); ++i) {
        Facet& mine = facets_[i];
        mine.refused -= std::min(mine.refused, part.facets_[i].refused);
        for (const auto& [key, count] : part.facets_[i].counts) {
            const auto known = mine.counts.find(key);
            if (known == mine.counts.end()) {
                continue;
            }
            if (known->second <= count) {
                mine.counts.erase(known);
            } else {
                known->second -= count;
            }
        }
    }
}

std::uint64_t WorkflowProfile::count(ProfileFacet facet, std::string_view key) const {
    const Counts& mine = counts(facet);
    const auto known =
        needs_cleaning(facet, key) ? mine.find(clean_key(facet, key)) : mine.find(key);
    return known == mine.end() ? 0 : known->second;
}

bool WorkflowProfile::knows(ProfileFacet facet, std::string_view key) const {
    return refused(facet) > 0 || count(facet, key) > 0;
}

void WorkflowProfile::set_requests(std::vector<std::string> lines) {
    std::size_t bytes = 0;
    std::size_t kept = 0;
    while (kept < std::min(lines.size(), requests_max)) {
        bytes += lines[kept].size() + request_line_frame;
        if (bytes > requests_bytes_max) {
            break;
        }
        ++kept;
    }
    lines.resize(kept);
    requests_ = std::move(lines);
}

std::size_t WorkflowProfile::bytes() const noexcept {
    constexpr std::size_t key_bytes = 100;  // node, text, count
    std::size_t keys = 0;
    for (const Facet& facet : facets_) {
        keys += facet.counts.size();
    }
    std::size_t requests = 0;
    for (const std::string& line : requests_) {
        requests += sizeof line + line.size();
    }
    return sizeof *this + keys * key_bytes + requests;
}

std::string to_json(const WorkflowProfile& profile) {
    std::string out = "{\n  \"format\": \"" + std::string(form_name) +
                      "\",\n  \"good_sessions\": " + std::to_string(profile.sessions());
    for (const ProfileFacetInfo& facet : profile_facet_table) {
        const WorkflowProfile::Counts& counts = profile.counts(facet.facet);
        if (counts.empty()) {
            continue;
        }
        out += ",\n  \"" + std::string(facet.name) + "\": {";
        std::string_view separator = "\n";
        for (const auto& [key, count] : counts) {
            out += std::string(separator) + "    " + json::serialize(json::string(key)) + ": " +
                   std::to_string(count);
            separator = ",\n";
        }
        out += "\n  }";
        if (profile.refused(facet.facet) > 0) {
            out += ",\n  \"" + std::string(facet.name) +
                   "_refused\": " + std::to_string(profile.refused(facet.facet));
        }
    }
    if (!profile.requests().empty()) {
        out += ",\n  \"" + std::string(requests_name) + "\": [";
        std::string_view separator = "\n";
        for (const std::string& line : profile.requests()) {
            if (out.size() + line.size() + 2 * request_line_frame >
                WorkflowProfile::content_bytes_max) {
                break;  // facets first: what else there is room for
            }
            out += std::string(separator) + "    \"" + line + "\"";
            separator = ",\n";
        }
        out += "\n  ]";
    }
    return out + "\n}\n";
}

Result<WorkflowProfile> parse_workflow_profile(std::string_view text) {
    const json::object tree = TAGOUT_TRY(object_in(text));
    WorkflowProfile profile;
    const json::value* const format = tree.if_contains("format");
    if (format == nullptr || !format->is_string() || format->as_string() != form_name) {
        return fail(
            ErrorCode::InvalidArgument,
            "format: \"" + std::string(form_name) + "\" was expected, the form that is read here"
        );
    }
    for (const auto& [name, value] : tree) {
        const std::string member(name);
        if (member == "format") {
            continue;
        }
        if (member == requests_name) {
            profile.set_requests(TAGOUT_TRY(request_lines_in(value)));
            continue;
        }
        constexpr std::string_view refused_mark = "_refused";
        const bool refused = member.ends_with(refused_mark);
        const ProfileFacetInfo* const facet = facet_named(
            refused ? std::string_view(member).substr(0, member.size() - refused_mark.size())
                    : std::string_view(member)
        );
        if (member == "good_sessions" || (refused && facet != nullptr)) {
            const std::optional<std::uint64_t> number = whole_number(value);
            if (!number) {
                return no_count(member);
            }
            (refused ? profile.facets_[static_cast<std::size_t>(facet->facet)].refused
                     : profile.sessions_) = *number;
            continue;
        }
        if (facet == nullptr || !value.is_object()) {
            std::string names = "format, good_sessions, requests";
            for (const ProfileFacetInfo& each : profile_facet_table) {
                names += ", " + std::string(each.name);
            }
            return fail(
                ErrorCode::InvalidArgument,
                member + (facet == nullptr
                              ? ": no such member; a profile has " + names
                              : ": an object of keys and their good sessions was expected")
            );
        }
        if (value.as_object().size() > facet->keys_max) {
            return fail(
                ErrorCode::LimitExceeded,
                member + ": " + std::to_string(value.as_object().size()) + " keys; at most " +
                    std::to_string(facet->keys_max) + " are kept"
            );
        }
        for (const auto& [key, count] : value.as_object()) {
            const std::optional<std::uint64_t> number = whole_number(count);
            if (!number) {
                return no_count(member + "." + std::string(key));
            }
            profile.facets_[static_cast<std::size_t>(facet->facet)]
                .counts[clean_key(facet->facet, key)] = *number;
        }
    }
    return profile;
}

std::string profile_name(std::string_view workflow) {
    constexpr std::size_t name_bytes_max = 120;
    std::string name;
    for (const char c : workflow.substr(0, name_bytes_max)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        name += plain ? c : '-';
    }
    if (name == workflow && check_version_name(name)) {
        return name;
    }
    while (!name.empty() && (name.front() == '-' || name.front() == '.' || name.front() == '_')) {
        name.erase(0, 1);
    }
    return (name.empty() ? std::string("workflow") : name) + "-" + hash_text(workflow).substr(0, 8);
}

}  // namespace tagout::catalog
