#include "schema/check.h"

#include "schema/checker.h"

#include <algorithm>

namespace tagout::schema {

namespace {

constexpr std::size_t kept_bytes_max = 1 << 20;  ///< A larger buffer is not kept for the next text.
constexpr std::size_t first_bytes = 4096;

}  // namespace

struct Instance::Tree {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    bool read = false;
};

Instance::Instance(const InstanceLimits& limits) : limits_(limits) {}
Instance::~Instance() = default;
Instance::Instance(Instance&&) noexcept = default;
Instance& Instance::operator=(Instance&&) noexcept = default;

const Instance::Tree* Instance::tree() const noexcept {
    return tree_ && tree_->read ? tree_.get() : nullptr;
}

Result<void> Instance::read(std::string_view json) {
    if (tree_ && tree_->parser.capacity() > kept_bytes_max) {
        tree_.reset();
    }
    if (!tree_) {
        tree_ = std::make_unique<Tree>();
    }
    tree_->read = false;
    if (json.size() > limits_.bytes_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "has " + std::to_string(json.size()) + " bytes, of which at most " +
                std::to_string(limits_.bytes_max) + " are read"
        );
    }
    simdjson::dom::parser& parser = tree_->parser;
    if (parser.capacity() < json.size() || parser.max_depth() != limits_.depth_max) {
        if (parser.allocate(std::max(json.size(), first_bytes), limits_.depth_max) !=
            simdjson::SUCCESS) {
            return fail(ErrorCode::LimitExceeded, "no memory to read it");
        }
    }
    const auto error = parser.parse(json.data(), json.size()).get(tree_->root);
    if (error == simdjson::DEPTH_ERROR) {
        return fail(
            ErrorCode::LimitExceeded,
            "nests deeper than " + std::to_string(limits_.depth_max) + " levels"
        );
    }
    if (error == simdjson::NUMBER_ERROR) {
        return fail(
            ErrorCode::InvalidArgument,
            "is no JSON, or has a number that neither 64 bits nor a double can hold"
        );
    }
    if (error != simdjson::SUCCESS) {
        return fail(
            ErrorCode::InvalidArgument, std::string("is no JSON: ") + simdjson::error_message(error)
        );
    }
    tree_->read = true;
    return {};
}

Result<bool> conforms(const Schema& schema, const Instance& instance, const CheckLimits& limits) {
    const Instance::Tree* tree = instance.tree();
    if (tree == nullptr) {
        return fail(ErrorCode::InvalidArgument, "no instance was read");
    }
    Checker checker(schema.program(), limits, nullptr);
    const bool fits = checker.run(Value::of(tree->root));
    if (checker.failed()) {
        return std::unexpected(std::move(checker).take_error());
    }
    return fits;
}

Result<std::vector<Violation>> violations(
    const Schema& schema, const Instance& instance, const CheckLimits& limits
) {
    const Instance::Tree* tree = instance.tree();
    if (tree == nullptr) {
        return fail(ErrorCode::InvalidArgument, "no instance was read");
    }
    std::vector<Violation> found;
    Checker checker(schema.program(), limits, &found);
    (void)checker.run(Value::of(tree->root));
    if (checker.failed()) {
        return std::unexpected(std::move(checker).take_error());
    }
    return found;
}

}  // namespace tagout::schema
