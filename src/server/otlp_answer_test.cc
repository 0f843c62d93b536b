#include "server/otlp_answer.h"

#include <gtest/gtest.h>

namespace tagout::server {
namespace {

using intake::Encoding;

TEST(OtlpAnswer, NothingRejectedIsAnEmptyMessage) {
    EXPECT_EQ(export_response(Encoding::Protobuf, Signal::Traces, 0, ""), "");
    EXPECT_EQ(export_response(Encoding::Json, Signal::Traces, 0, ""), "{}");
}

TEST(OtlpAnswer, PartialSuccessNamesTheSignalsOwnField) {
    EXPECT_EQ(
        export_response(Encoding::Json, Signal::Traces, 3, "bad ids"),
        R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"bad ids"}})"
    );
    EXPECT_NE(
        export_response(Encoding::Json, Signal::Logs, 1, "x").find("rejectedLogRecords"),
        std::string::npos
    );
    EXPECT_NE(
        export_response(Encoding::Json, Signal::Metrics, 1, "x").find("rejectedDataPoints"),
        std::string::npos
    );
    EXPECT_EQ(
        export_response(Encoding::Protobuf, Signal::Traces, 300, "no"),
        std::string("\x0a\x07\x08\xac\x02\x12\x02no", 9)
    );
}

TEST(OtlpAnswer, AWarningWithoutRejectionIsKept) {
    EXPECT_EQ(
        export_response(Encoding::Protobuf, Signal::Logs, 0, "hm"),
        std::string("\x0a\x04\x12\x02hm", 6)
    );
}

TEST(OtlpAnswer, StatusCarriesRetryInfoOnlyWhereOneMayRetry) {
    EXPECT_EQ(rpc_status(Encoding::Protobuf, 3, "no", 0), std::string("\x08\x03\x12\x02no", 6));
    EXPECT_EQ(rpc_status(Encoding::Json, 3, "no", 0), R"({"code":3,"message":"no"})");
    EXPECT_EQ(retry_info(2), std::string("\x0a\x02\x08\x02", 4));
    const std::string status = rpc_status(Encoding::Protobuf, 14, "busy", 2);
    EXPECT_NE(status.find("google.rpc.RetryInfo"), std::string::npos);
    EXPECT_NE(status.find(retry_info(2)), std::string::npos);
    EXPECT_NE(
        rpc_status(Encoding::Json, 14, "busy", 2).find("\"retryDelay\":\"2s\""), std::string::npos
    );
}

}  // namespace
}  // namespace tagout::server
