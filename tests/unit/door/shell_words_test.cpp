// What a shell made of a command of the console.
#include "control/door/shell_words.h"

#include <gtest/gtest.h>

namespace maclane::door {
namespace {

TEST(ShellWords, GetTheirQuotesBack) {
  EXPECT_EQ(join_words({"/ip/address", "print", "where", "comment=a b"}),
            "/ip/address print where comment=\"a b\"");
  EXPECT_EQ(join_words({"/ip/address print where comment=\"a b\""}),
            "/ip/address print where comment=\"a b\"");
  EXPECT_EQ(join_words({"print", "where", "name=x disabled=no"}), "print where name=x disabled=no");
  EXPECT_EQ(join_words({"print", "where", "name~(a|b)"}), "print where name~\"(a|b)\"");
  EXPECT_EQ(join_words({"print", "where", "(name=a", "or", "name=b)"}),
            "print where (name=a or name=b)");
  EXPECT_EQ(join_words({"set", "m1", "comment="}), "set m1 comment=\"\"");
}

TEST(ShellWords, AValueIsNoCommand) {
  EXPECT_EQ(join_words({"set", "m1", "comment=x; /system/reboot"}),
            "set m1 comment=\"x; /system/reboot\"");
  EXPECT_EQ(join_words({"set", "m1", "comment=a\n/system/reboot"}),
            "set m1 comment=\"a\\n/system/reboot\"");
  EXPECT_EQ(join_words({"set", "m1", "comment=x\";:put $a=1"}),
            "set m1 comment=\"x\\\";:put \\$a=1\"");
  EXPECT_EQ(join_words({"set", "m1", "comment=a $b"}), "set m1 comment=\"a \\$b\"");
  // What holds itself together is of the language.
  EXPECT_EQ(join_words({"add", "on-event={:beep;:beep}"}), "add on-event={:beep;:beep}");
  EXPECT_EQ(join_words({"add", "comment=\"a; b\""}), "add comment=\"a; b\"");
}

}  // namespace
}  // namespace maclane::door
