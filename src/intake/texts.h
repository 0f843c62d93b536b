// Every text that an AgentEvent keeps is valid UTF-8 and no longer than the limit.
//
// OTLP strings must be UTF-8, but SDKs cut attribute values in the middle of a character, and one
// such value must not cost a whole batch (libprotobuf would refuse the request). So each ill-formed
// sequence becomes U+FFFD in a copy in the batch's arena; the evidence stays as it came. A text over
// the limit is clipped at the start of a character. Both are counted in the batch.
// Cost: valid texts are looked at once, 16 bytes a step while they are ASCII; no copy.
#pragma once

#include "domain/event_batch.h"

namespace tagout::intake {

void settle_texts(AgentEvent& event, std::size_t text_bytes_max, EventBatch& batch);

/// `text`, or a repaired copy in the arena. Ill-formed: Unicode 15, table 3-7; replaced a maximal
/// subpart at a time.
[[nodiscard]] std::string_view valid_text(std::string_view text, EventBatch& batch);

/// Bytes of the well-formed character at `at`, or 0.
[[nodiscard]] std::size_t character_length(std::string_view text, std::size_t at) noexcept;

/// The longest prefix of at most `bytes_max` bytes that ends between characters.
[[nodiscard]] std::string_view clipped(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace tagout::intake
