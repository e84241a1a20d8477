// Scripts: what they write, and what they say and point at when they are wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/script/bench.h"

namespace maclane::script {
namespace {

using testing::HasSubstr;

struct ScriptCase {
  const char* script;
  const char* out;
};

const ScriptCase kScripts[] = {
    {":put \"Hello\"", "Hello\n"},
    {"put hello", "hello\n"},
    {"/put hello", "hello\n"},
    {":put a; :put b\n:put c", "a\nb\nc\n"},
    {":put [:put x]", "x\nx\n"},
    {"# a comment\n:put a # behind a command\n# \\\n:put b", "a\nb\n"},
    {":put \"not # a comment\"", "not # a comment\n"},
    {":put \\\n  joined", "joined\n"},
    {":put a\r\n:put b\r\n", "a\nb\n"},
    {":put a\r:put b\r", "a\nb\n"},
    {"", ""},
    {"\n\n;;\n", ""},
    // variables and scopes
    {":local a 3; :put $a", "3\n"},
    {":local a; :set a \"x\"; :put $a", "x\n"},
    {":local a 1; :set $a 2; :put $a", "2\n"},
    {":local \"my-var\" v; :put $\"my-var\"", "v\n"},
    {":local myVar 1; :put $myVAr", "\n"},
    {"{:local b 4}\n:put $b", "\n"},
    {":local x outer; { :local x inner; :put $x }; :put $x", "inner\nouter\n"},
    {":local a 1; :local a 2; :put $a", "2\n"},
    {":local a 5; :set a; :put [:typeof $a]", "nothing\n"},
    {":global g 1; { :set g 2 }; :put $g", "2\n"},
    {"{:global b 4}; :put \"=$b\"; :global b; :put $b", "=\n4\n"},
    {":global g g1; { :local g l1; :set g m; :put $g }; :put $g", "m\ng1\n"},
    {":global a 1; :set a; :put [:typeof $a]", "nothing\n"},
    {":local s 0; :for k from=1 to=5 do={:set s ($s + $k)}; :put $s", "15\n"},
    {":put \"$undeclared.\"", ".\n"},
    // conditions
    {":if (true) do={:put yes} else={:put no}", "true\n"},
    {":if (1 = 2) do={:put a} else={:put b}", "b\n"},
    {":if (0) do={:put a}", ""},
    {":if ([:len abc] = 3) do={ :put three }", "three\n"},
    {":local x 2; :if ($x = 1) do={:put 1} else={:if ($x = 2) do={:put two} else={:put 3}}",
     "two\n"},
    {":if (1 = 1 \\\n  and 2 = 2) do={ :put joined }", "joined\n"},
    {":if (1 = 2) do={:put a} else {:put b}", "b\n"},
    // loops
    {":foreach i in $undeclared do={}; :foreach i in={1;2} do={:put $i}", "1\n2\n"},
    {":local c ({}); :foreach i in={1;2;3} do={ :if ($i = 2) do={:error stop}; :put $i } "
     "on-error={ :put "
     "out }",
     "1\nout\n"},
    {":for i from=1 to=3 do={:put $i}", "1\n2\n3\n"},
    {":for i from=1 to= 3 do= {:put $i}", "1\n2\n3\n"},
    {":for i from=3 to=1 do={:put $i}", "3\n2\n1\n"},
    {":for i from=0 to=6 step=3 do={:put $i}", "0\n3\n6\n"},
    {":for i from=5 to=5 do={:put $i}", "5\n"},
    {":for i from=1 to=2 do={:set i 99}; :put \"$i\"", "\n"},
    {":local r \"\"; :for i from=1 to=2 do={:set r ($r . \"O\" . $i); :for i from=8 to=9 do={:set "
     "r "
     "($r . \"I\" . $i)}}; :put $r",
     "O1I8I9O2I8I9\n"},
    {":foreach v in={2; \"aX\"=1; y=2; 5} do={:put $v}", "2\n5\n1\n2\n"},
    {":foreach k,v in={2; \"aX\"=1; y=2; 5} do={:put \"$k=$v\"}", "0=2\n1=5\naX=1\ny=2\n"},
    {":foreach x in=[] do={:put $x}", ""},
    {":foreach x in=single do={:put $x}", "single\n"},
    {":local i 0; :while ($i < 3) do={:put $i; :set i ($i + 1)}", "0\n1\n2\n"},
    {":local i 0; :do {:set i ($i + 1)} while=($i < 5); :put $i", "5\n"},
    {":local n 0; :do {:set n 1} while=(false); :put $n", "1\n"},
    {":local i 0; do {:set i ($i + 1)} while=($i < 5); :put $i", "5\n"},
    // errors
    {":do { :error \"x\"; :put never } on-error={ :put caught }", "caught\n"},
    {":onerror e in={ :error \"my-message\" } do={ :put $e }", "my-message\n"},
    {":onerror e {\n\n:error boom} do={:put \"Critical $e\"}", "Critical boom\n"},
    {":onerror e in={ :put (1/0) } do={ :put $e }", "division by zero (:put; line 1)\n"},
    {":onerror e in={ nothere x=1 } do={ :put \"Failure - $e\" }",
     "Failure - bad command name nothere (line 1 column 17); there is no command or menu "
     "nothere\n"},
    {":onerror a in={ :onerror b in={ :error one } do={ :error two } } do={ :put $a }", "two\n"},
    {":local c 0; :onerror e in={ :for i from=1 to=5 do={ :set c ($c + 1); :if ($i = 3) do={ "
     ":error "
     "stop } } } do={}; :put $c",
     "3\n"},
    {":local c 0; :for i from=1 to=5 do={ :onerror e in={ :if ($i = 3) do={ :error skip }; :set c "
     "($c "
     "+ 1) } do={} }; :put $c",
     "4\n"},
    {":global n 0; :onerror e in={ :retry command={ :set n ($n + 1); :if ($n < 3) do={ :error "
     "again } "
     "} delay=0 max=5 }; :put $n",
     "3\n"},
    {":do { :retry command={ :put try; :error no } delay=1 max=2 } on-error={ :put gave-up }",
     "try\ntry\ngave-up\n"},
    {":retry command={ :put never } delay=0 max=0", ""},
    {":local i 0; :do { :set i ($i + 1); :if ($i = 3) do={ :error stop } } on-error={} while=($i < "
     "5); "
     ":put $i",
     "3\n"},
    {":put before; :quit; :put after", "before\n"},
    {":onerror e in={ :quit } do={ :put caught }", ""},
    // functions
    {":global f do={:put \"hello from function\"}; $f", "hello from function\n"},
    {":global f do={:put \"a=$a\"; :put \"1=$1\"}; $f a=\"this is a\" \"this is 1\"",
     "a=this is a\n1=this is 1\n"},
    {":global f do={ :return ($a + $b) }; :put [$f a=6 b=2]", "8\n"},
    {":global f do={ :return $1 }; :put [:typeof [$f {1;2}]]", "array\n"},
    {":global f do={ :put $0 }; $f", "$f\n"},
    {":global myFunc [:parse \":put \\\"Hello \\$myVar !\\\"\"]; $myFunc myVar=world",
     "Hello world !\n"},
    {":global funcA do={ :return 5 }; :global funcB do={ :global funcA; :return ([$funcA] + 4) }; "
     ":put "
     "[$funcB]",
     "9\n"},
    {":global my2 \"123\"; :global myFunc do={ :global my2; :put $my2; :set my2 \"lala\"; :put "
     "$my2 }; "
     "$myFunc my2=1234; :put \"global value $my2\"",
     "1234\nlala\nglobal value 123\n"},
    {":global fact do={ :global fact; :if ($1 <= 1) do={ :return 1 }; :return ($1 * [$fact ($1 - "
     "1)]) "
     "}; :put [$fact 5]",
     "120\n"},
    {":local x 1; :local fn do={:put \"=$x\"}; $fn", "=\n"},
    {":local o unchanged; :global f do={ :local p $1; :set p modified; :return $p }; :put [$f $o]; "
     ":put $o",
     "modified\nunchanged\n"},
    {":global f do={ :put no-value }; :put [:typeof [$f]]", "no-value\nnothing\n"},
    {":global printA [:parse \":local A; :put \\$A;\" ]; $printA", "\n"},
    {":local zz; :put [:typeof [:set zz 12]]", "nil\n"},
    {":local x2 2; :local fn2 (>[:put $x2]); $fn2", "2\n"},
    {":local g [:toarray \"\"]; :set ($g->\"hello\") do={:put \"hello $1\"}; ($g->\"hello\") world",
     "hello world\n"},
    // arrays
    {":local a {5;6;7}; :local i 2; :put ($a->i)", "7\n"},
    {":local a {b=1}; :put ($a->b)", "1\n"},
    {":put ({ \n a=\"x\"\n b=\"y\" })", "a=x;b=y\n"},
    {":global a {x=1; y=2}; :set ($a->\"x\") 5; :put $a", "x=5;y=2\n"},
    {":local t {{\"11\";\"12\"};{\"21\";\"22\"}}; :set ($t->1->1) \"c\"; :put $t", "11;12;21;c\n"},
    {":local a ({}); :set ($a->\"k\"->\"j\") 1; :put ($a->\"k\"->\"j\")", "1\n"},
    {":local a [:toarray \"\"]; :set ($a->0) x; :set ($a->1) y; :put $a", "x;y\n"},
    {":local a {1;2}; :local b $a; :set ($b->0) 9; :put $a; :put $b", "1;2\n9;2\n"},
    {":local a {b=1}; { :set ($a->\"c\") 2 }; :put $a", "b=1;c=2\n"},
    {":local a ({}); :for i from=0 to=2 do={ :set ($a->[:len $a]) ($i * $i) }; :put $a", "0;1;4\n"},
    {":put (\"array value is: \" . {\"cccc\", \"ddddd\"})",
     "array value is: cccc;array value is: ddddd\n"},
    // both sides of && and || are worked out, as RouterOS does
    {":global n 0; :global f do={ :global n; :set n ($n + 1); :return true }; :if (true || [$f]) "
     "do={}; "
     ":put $n",
     "1\n"},
    // :return ends what it stands in
    {":local f do={ :foreach i in={1;2;3} do={ :if ($i = 2) do={ :return $i } }; :return 0 }; :put "
     "[$f]",
     "2\n"},
    {":local f do={ :onerror e in={ :return 1 } do={}; :return 2 }; :put [$f]", "2\n"},
    {":environment print", ""},
    {":global s \"a b\"; :global n 5; :global l {1;x=2}; :environment print",
     "l={1; x=2}\nn=5\ns=\"a b\"\n"},
    // the documents' own: strip a netmask
    {":global ipaddress 10.1.101.1/24\n:for i from=( [:len $ipaddress] - 1) to=0 do={\n\t:if ( "
     "[:pick "
     "$ipaddress $i] = \"/\") do={\n\t\t:put [:pick $ipaddress 0 $i]\n\t}\n}",
     "10.1.101.1\n"},
    {"{\n:local IP 192.168.88.77;\n:local CIDRnetmask 255.255.255.0;\n:put ($IP&$CIDRnetmask);\n}",
     "192.168.88.0\n"},
};

TEST(Language, Writes) {
  for (const ScriptCase& one : kScripts) {
    const Ran ran = run_script(one.script);
    EXPECT_EQ(ran.error, "") << one.script;
    EXPECT_EQ(ran.out, one.out) << one.script;
  }
}

struct WrongScript {
  const char* script;
  const char* error;
  uint32_t line;
  uint32_t column;
};

const WrongScript kWrongScripts[] = {
    // what a parser says
    {":put (", "syntax error (line 1 column 6)", 1, 6},
    {":put )", "syntax error (line 1 column 6)", 1, 6},
    {":put \"abc", "syntax error (line 1 column 6); there is no closing quote for this one", 1, 6},
    {":put [:len x", "expected closing bracket (line 1 column 6)", 1, 6},
    {":if (true) do={ :put 1", "expected closing brace (line 1 column 15)", 1, 15},
    // Behind a bracket or quote that nobody closed it is not the word that is wrong.
    {":put [:len x foo=1", "expected closing bracket (line 1 column 6); there is no ] for this [",
     1, 6},
    {":put [/ip address get 0 address foo\n:put done", "expected closing bracket (line 1 column 6)",
     1, 6},
    {":do { :put [:len x foo=1 } on-error={}", "expected closing bracket (line 1 column 12)", 1,
     12},
    {":if (true) do={ :put 1 bar", "expected closing brace (line 1 column 15)", 1, 15},
    {":if (1 = 1 do={ :put 1 }", "syntax error (line 1 column 5); there is no ) for this (", 1, 5},
    {":put \"$[:len x foo=1\"", "syntax error (line 1 column 6); the quotes from here on", 1, 6},
    {"/interface/macvlan/add comment=\"one name=x\n/interface/macvlan/add comment=\"two\"",
     "syntax error (line 1 column 32); the quotes from here on do not pair up", 1, 32},
    {":put \"[(\" # [ (\n:put a b", "expected end of command (line 2 column 8)", 2, 8},
    {":put [:len x foo=1]\n:put {", "expected end of command (line 1 column 14)", 1, 14},
    {":global array {}", "syntax error (line 1 column 15); an empty array is written ({})", 1, 15},
    {":set wan 10",
     "syntax error (line 1 column 6); there is no variable wan here: declare it with :local or "
     ":global",
     1, 6},
    {":local o 1\n:global f do={ :set o 2 }", "syntax error (line 2 column 21)", 2, 21},
    {":put a b", "expected end of command (line 1 column 8)", 1, 8},
    {":local MAX_ACTIONS 200", "expected end of command (line 1 column 11)", 1, 11},
    {":put \"\\e2\"", "syntax error (line 1 column 7); an escape is one of", 1, 7},
    {":put a \\ b", "syntax error (line 1 column 8)", 1, 8},
    {"Hi to all", "expected command name (line 1 column 1)", 1, 1},
    {"from: x", "syntax error (line 1 column 5)", 1, 5},
    {"delimiter=\"x\"", "syntax error (line 1 column 10)", 1, 10},
    {":if true do={} elseif", "expected end of command (line 1 column 16)", 1, 16},
    {":if (1) do=:put", "syntax error (line 1 column 12); do takes commands in braces", 1, 12},
    {":global $wan1 1", "syntax error (line 1 column 9)", 1, 9},
    {"}", "expected command name (line 1 column 1)", 1, 1},
    {":put (1 2)", "syntax error (line 1 column 9); an operator or ) was expected here", 1, 9},
    {":put {1 2}", "syntax error (line 1 column 9); elements of an array are separated by ;", 1, 9},
    {":put $", "syntax error (line 1 column 6)", 1, 6},
    {":put ($a->)", "syntax error (line 1 column 11); a key was expected after ->", 1, 11},
    {"/interface/macvlan/print/x",
     "syntax error (line 1 column 25); the path goes on after the command "
     "print",
     1, 25},
    {"/interface/macvlan/print detial",
     "expected end of command (line 1 column 26); print has no parameter detial; did you mean "
     "\"detail\"?",
     1, 26},
    {"/interface/macvlan/print mode=private",
     "expected end of command (line 1 column 26); rows are chosen with where, as in: where "
     "mode=...",
     1, 26},
    {"/interface/macvlan/add nmae=x",
     "expected end of command (line 1 column 24); add has no parameter nmae; did you mean "
     "\"name\"?",
     1, 24},
    {"/interface/macvlan/add x", "expected end of command (line 1 column 24)", 1, 24},
    {"/interface/macvlan/add name=x interface ether1",
     "expected end of command (line 1 column 31); interface needs a value: interface=ether1", 1,
     31},
    {"/interface/macvlan/add name=x disabled",
     "expected end of command (line 1 column 31); disabled needs a value: disabled=yes", 1, 31},
    {"/interface/macvlan/add mo name=x",
     "expected end of command (line 1 column 24); mode needs a value: mode=bridge", 1, 24},
    {"/ip/firewall/filter/add chain=input action=a",
     "ambiguous value of action, more than one possible value matches input: a may be accept, ", 1,
     44},
    {"/interface/macvlan/print where", "missing value for where (line 1 column 26)", 1, 26},
    {"/interface/macvlan/print where modee=private",
     "syntax error (line 1 column 32); /interface/macvlan has no property modee; did you mean "
     "\"mode\"?",
     1, 32},
    {"/interface/macvlan/print where mode=privte", "syntax error (line 1 column 37); mode: ", 1,
     37},
    {"/interface/macvlan/print where mode!=privte",
     "syntax error (line 1 column 38); mode: input does not match any value of mode: \"privte\"; "
     "it "
     "takes bridge or private",
     1, 38},
    {"/interface/macvlan/print where disabled=maybe",
     "syntax error (line 1 column 41); disabled: ", 1, 41},
    {"/interface/macvlan/print where running and nam=x", "syntax error (line 1 column 44)", 1, 44},
    {"/interface/macvlan/print where mode=",
     "syntax error (line 1 column 37); a value was expected", 1, 37},
    {"/interface/macvlan/print where (running", "syntax error (line 1 column 32); there is no )", 1,
     32},
    {"/interface/macvlan/print where running or",
     "syntax error (line 1 column 42); the expression ends where a value was expected", 1, 42},
    // what running says; a menu that is not there is none of the others
    {"/ip dhcp-relay network\nadd address=10.0.0.0/8 gateway=10.0.0.1",
     "bad command name dhcp-relay (line 1 column 5); /ip/dhcp-relay is known to RouterOS but not "
     "in "
     "this version of Maclane",
     1, 5},
    {":do {\n/tool netwatch\n} on-error={}\n/nope such menu\nadd x={ a } y=[find z~\"b\"]",
     "bad command name nope (line 4 column 2)", 4, 2},
    {":put a\nthis is not a command", "bad command name this (line 2 column 1)", 2, 1},
    {"/interface macvlna print",
     "bad command name macvlna (line 1 column 12); /interface has no command or menu macvlna; did "
     "you "
     "mean \"macvlan\"?",
     1, 12},
    {"/ip dhcp-serf print", "bad command name dhcp-serf (line 1 column 5)", 1, 5},
    {"/ip hotspot print",
     "bad command name hotspot (line 1 column 5); /ip/hotspot is known to RouterOS but not in "
     "this "
     "version of Maclane",
     1, 5},
    {"/i",
     "bad command name i (line 1 column 2); it can be if, import, interface or ip: write more of "
     "it",
     1, 2},
    {":error \"my message\"", "my message", 1, 2},
    {"\n\n  :error 5", "5", 3, 4},
    {":return", "missing value(s) of argument(s) value (:return; line 1)", 1, 2},
    {":if (\"text\") do={}",
     "conditional not boolean; \"text\" is neither true nor false (:if; line 1)", 1, 5},
    {":put (1 + [:tonum x] + \"y\")", "cannot add string to integer number (:put; line 1)", 1, 24},
    {":for i from=a to=3 do={}", "input does not match any value of from; a number was expected", 1,
     13},
    {":for i from=1 to=3 step=0 do={}", "input does not match any value of step", 1, 25},
    {":delay soon", "invalid time value for argument delay-time", 1, 8},
    {":local f 5; $f 1", "f is no function; its type is num", 1, 13},
    {":global f do={ :error in-f }; $f", "in-f", 1, 17},
    {":global f do={ :global f; $f }; $f", "functions call each other too deep", 1, 1},
    {":put [:parse \"(\"]", "syntax error (line 1 column 1); there is no ) for this (", 1, 8},
};

TEST(Language, PointsAtTheWord) {
  for (const WrongScript& one : kWrongScripts) {
    const Ran ran = run_script(one.script);
    EXPECT_EQ(ran.error.substr(0, std::string_view(one.error).size()), one.error) << one.script;
    if (std::string_view(one.error).starts_with("functions")) continue;
    EXPECT_EQ(ran.place.line, one.line) << one.script << ": " << ran.error;
    EXPECT_EQ(ran.place.column, one.column) << one.script << ": " << ran.error;
  }
}

TEST(Language, AsksTheHost) {
  TestHost host;
  Globals globals;
  EXPECT_EQ(
      run_script(host, globals,
                 ":log info \"a message\"; /log warning \"b\"; :delay 1500ms; :delay 2; :execute "
                 "{:put 1}")
          .error,
      "");
  EXPECT_EQ(host.logged, "info: a message\nwarning: b\n");
  EXPECT_EQ(host.waited, 3'500'000'000);
  EXPECT_EQ(host.executed, std::vector<std::string>{":put 1"});
}

TEST(Language, GlobalsOutliveAScript) {
  TestHost host;
  Globals globals;
  run_script(host, globals, ":global myVar \"hello!\"; :global n 3");
  EXPECT_EQ(run_script(host, globals, ":put \"$myVar\"; :global myVar; :put $myVar").out,
            "\nhello!\n");
  EXPECT_EQ(globals.all().size(), 2U);
  run_script(host, globals, ":global n; :set n");
  EXPECT_EQ(globals.all().size(), 1U);
}

TEST(Language, CanBeStopped) {
  TestHost host;
  host.stop_after = 3;
  Globals globals;
  const Ran ran = run_script(host, globals, ":do { :while (true) do={} } on-error={ :put caught }");
  EXPECT_EQ(ran.error, "interrupted");
  EXPECT_EQ(host.out, "");
}

}  // namespace
}  // namespace maclane::script
