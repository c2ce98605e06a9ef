#include "cli/manual.hpp"

#include <gmock/gmock.h>

namespace ccbt::cli {
namespace {

using ::testing::HasSubstr;

TEST(manual, names_every_command_with_its_arguments) {
    auto const page = ccbt_manual(commands());
    for (auto const& c : commands()) {
        EXPECT_THAT(page, HasSubstr("\n.SS " + roff_text(c.words))) << c.words;
        for (auto const& a : c.arguments) EXPECT_THAT(page, HasSubstr(roff_text(a.word))) << c.words;
    }
    EXPECT_THAT(page, HasSubstr(".TP\n.B \\-\\-url \\fIURL\\fR\nWhere the daemon is"));
    EXPECT_THAT(page, HasSubstr(".SS add source...\n"));
}

TEST(manual, names_keys_with_default_range_and_what_waits_for_the_next_start) {
    auto const page = configuration_manual();
    EXPECT_THAT(page, HasSubstr(".SH [limits]\n"));
    EXPECT_THAT(page, HasSubstr(".B listen_port_tcp = 64122\n"));
    EXPECT_THAT(page, HasSubstr("(0 to 65535)\n"));
    EXPECT_THAT(page, HasSubstr(".B state_dir* = \\(dq~/.ccbt/daemon\\(dq\n"));
    EXPECT_THAT(page, HasSubstr("[security.ip_filter]"));
    EXPECT_THAT(page, HasSubstr("(none, sparse, full)"));
}

TEST(manual, a_text_cannot_become_a_request_of_the_typesetter) {
    EXPECT_EQ(roff_text(".so /etc/passwd"), "\\&.so /etc/passwd");
    EXPECT_EQ(roff_text("a\n.br \\fB-x"), "a .br \\efB\\-x");
}

} // namespace
} // namespace ccbt::cli
