// A control as JSON that loses nothing: for journals and for other processes. What people read is
// control_json.h.
//
// The members of one control are written and read here alone, so that the journal, signed snapshots
// and the records of a gateway's own controls cannot differ in what they carry.
#pragma once

#include "contain/form_reader.h"
#include "domain/control.h"

#include <boost/json/object.hpp>

namespace tagout::contain {

/// What a control says beside who asked for it: scope, mode, what the mode needs, review date.
[[nodiscard]] boost::json::object terms_form(const Control& control);
/// The same read; whatever is wrong is noted in `reader`. Id, author, reason and time are the caller's.
[[nodiscard]] Control read_terms(FormReader& reader);

/// Whom it lets pass while it is lifted in stages.
[[nodiscard]] boost::json::object opening_form(const Opening& opening);
[[nodiscard]] Opening read_opening(FormReader& reader);

/// The control whole.
[[nodiscard]] boost::json::object form_of(const Control& control);
/// InvalidArgument names `place`, member and problem: a control that is not understood is not applied
/// in part.
[[nodiscard]] Result<Control> control_of(const boost::json::object& form, std::string place);

}  // namespace tagout::contain
