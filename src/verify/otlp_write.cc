#include "verify/otlp_write.h"

namespace tagout::verify {

namespace {

void put_field(std::string& to, int number, std::string_view bytes) {
    to += static_cast<char>(number << 3 | 2);
    std::uint64_t length = bytes.size();
    while (length >= 0x80) {
        to += static_cast<char>((length & 0x7fU) | 0x80U);
        length >>= 7U;
    }
    to += static_cast<char>(length);
    to += bytes;
}

}  // namespace

std::string otlp_message(std::span<const journal::EvidenceItem> items, Signal signal) {
    // TracesData and LogsData, their resource groups and scope groups number their fields alike:
    // 1 is what the group shares, 2 what is in it; the message has its groups as 1.
    std::string message;
    std::string scopes;  // scope groups of the resource at hand
    std::string group;   // items of the scope at hand
    const journal::EvidenceItem* last = nullptr;
    const auto end_scope = [&] {
        std::string scope;
        put_field(scope, 1, last->scope);
        put_field(scopes, 2, scope + group);
        group.clear();
    };
    const auto end_resource = [&] {
        std::string resource;
        put_field(resource, 1, last->resource);
        put_field(message, 1, resource + scopes);
        scopes.clear();
    };
    for (const journal::EvidenceItem& item : items) {
        if (item.signal != signal) {
            continue;
        }
        const bool new_resource = last != nullptr && item.resource != last->resource;
        if (last != nullptr && (new_resource || item.scope != last->scope)) {
            end_scope();
        }
        if (new_resource) {
            end_resource();
        }
        put_field(group, 2, item.bytes);
        last = &item;
    }
    if (last != nullptr) {
        end_scope();
        end_resource();
    }
    return message;
}

}  // namespace tagout::verify
