// The shape of a call: which arguments it names and of what type each is,
// "pay(amount:number,to:string)". A tool that refuses one shape and takes the others has a caller
// that was built wrongly, and the tool's own rate hides it.
//
// Pure. Bounds: shape_values_max values, name_bytes_max of the result. Cost: about 200 ns, so it is
// asked only of tools that have refused something.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tagout::detect {

inline constexpr std::size_t shape_values_max = 16;

[[nodiscard]] std::string argument_shape(std::string_view tool, std::string_view arguments);

}  // namespace tagout::detect
