// Asking a compiled schema about one JSON text: does it conform, and if not, where and why.
//
// An Instance is the text, read once; any number of schemas can be asked about it. Asking is two
// questions: conforms() is quick and allocates nothing in the usual case; violations() walks again
// and puts into words what does not fit, so only who needs words pays for them.
//
// What is hostile ends with an error that names the place: a text that is no JSON, nests too deeply
// or has numbers that nobody can hold is refused by read(); a schema that runs in circles,
// multiplies its own alternatives or meets an instance of a million members ends at CheckLimits.
//
// A member that stands twice in an object is judged twice: readers differ in which of the two they
// take, so both must fit.
#pragma once

#include "base/result.h"
#include "schema/schema.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::schema {

struct InstanceLimits {
    std::size_t bytes_max = 16 << 20;
    std::size_t depth_max = 128;
};

/// Confined to one thread at a time. Keeps its buffers, so read many texts with one Instance; after
/// a large text (over 1 MiB) the next read gives the memory back.
class Instance {
public:
    struct Tree;

    explicit Instance(const InstanceLimits& limits = {});
    ~Instance();
    Instance(Instance&&) noexcept;
    Instance& operator=(Instance&&) noexcept;

    /// Reads `json`, which need not outlive the call. InvalidArgument or LimitExceeded says why
    /// not, and then nothing can be asked until another read succeeds.
    [[nodiscard]] Result<void> read(std::string_view json);
    /// Null until a read succeeded.
    [[nodiscard]] const Tree* tree() const noexcept;

private:
    InstanceLimits limits_;
    std::unique_ptr<Tree> tree_;
};

struct CheckLimits {
    /// Subschemas applied, members and items visited, values compared: some 20 ns each.
    std::uint64_t steps_max = 1'000'000;
    std::uint32_t depth_max = 512;  ///< Subschemas inside each other, references counted.
    std::size_t violations_max = 8;
};

struct Violation {
    std::string
        instance_path;  ///< JSON Pointer into the instance: "/items/0/quantity"; "" is all of it.
    std::string schema_path;  ///< Of the keyword that says no: "#/properties/items/items/minimum".
    std::string keyword;      ///< Its last part: "minimum".
    std::string words;  ///< "quantity is 0, but must be at least 1": a whole clause for people.
};

/// Whether `instance` conforms. LimitExceeded names the place in both where `limits` were passed;
/// InvalidArgument if the instance was never read.
[[nodiscard]] Result<bool> conforms(
    const Schema& schema, const Instance& instance, const CheckLimits& limits = {}
);

/// What does not fit, in the order of the schema, at most violations_max; empty if it conforms.
[[nodiscard]] Result<std::vector<Violation>> violations(
    const Schema& schema, const Instance& instance, const CheckLimits& limits = {}
);

}  // namespace tagout::schema
