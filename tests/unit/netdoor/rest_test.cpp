// REST requests as calls and outcomes as replies (D-1 to D-13), without sockets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/door/client_text.h"
#include "control/door/rest_call.h"
#include "control/observe/json_text.h"

namespace maclane::door {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Form = RestCall::Form;
using Pair = std::pair<std::string, std::string>;

RestCall call(std::string_view method, std::string_view target, const std::string& body = "") {
  auto out = rest_call(method, target, body);
  EXPECT_TRUE(out) << (out ? "" : out.error().detail);
  return out ? *out : RestCall{};
}

RestError wrong(std::string_view method, std::string_view target, const std::string& body = "") {
  auto out = rest_call(method, target, body);
  EXPECT_FALSE(out) << method << " " << target << " " << body;
  return out ? RestError{0, ""} : out.error();
}

TEST(RestCall, D2_GetOfAMenuAndOfARow) {
  const RestCall menu = call("GET", "/rest/ip/address");
  EXPECT_EQ(menu.form, Form::kRows);
  EXPECT_EQ(menu.call.path, "/ip/address");
  EXPECT_EQ(menu.call.command, "print");
  const RestCall row = call("GET", "/rest/ip/address/*1");
  EXPECT_EQ(row.form, Form::kRow);
  EXPECT_THAT(row.call.arguments, ElementsAre(Pair("from", "*1")));
  EXPECT_EQ(call("GET", "/rest/interface/ether1").call.path, "/interface");
  EXPECT_EQ(call("GET", "/rest/interface/macvlan").form, Form::kRows);
}

TEST(RestCall, NamesInThePathArePercentDecodedAndNoPath) {
  const RestCall row = call("GET", "/rest/interface/macvlan/a%2Fb%20c+d");
  EXPECT_EQ(row.row, "a/b c+d");
  // A part with a slash in it is a name even if it looks like a path.
  EXPECT_EQ(wrong("GET", "/rest/interface%2Fmacvlan").status, 404);
}

TEST(RestCall, D3_FiltersAndProplistOfTheQuery) {
  const RestCall get = call("GET", "/rest/ip/address?interface=a%20b&.id=*2&.proplist=address,.id");
  EXPECT_THAT(get.call.proplist, ElementsAre("address", ".id"));
  model::PrintRow row;
  row.id = "*2";
  row.fields = {{"interface", "a b"}};
  EXPECT_TRUE(get.call.filter(row));
  row.id = "*3";
  EXPECT_FALSE(get.call.filter(row));
}

TEST(RestCall, D4_PrintWithQueryAndOtherArguments) {
  const RestCall post =
      call("POST", "/rest/interface/print",
           R"({".proplist":["name","type"],".query":["type=ether","type=vlan","#|"],)"
           R"("count-only":""})");
  EXPECT_EQ(post.form, Form::kCommand);
  EXPECT_THAT(post.call.proplist, ElementsAre("name", "type"));
  EXPECT_THAT(post.call.arguments, ElementsAre(Pair("count-only", "")));
  model::PrintRow row;
  row.fields = {{"type", "vlan"}};
  EXPECT_TRUE(post.call.filter(row));
  row.fields = {{"type", "macvlan"}};
  EXPECT_FALSE(post.call.filter(row));
}

TEST(RestCall, D5_D6_D7_PutPatchDelete) {
  const RestCall put =
      call("PUT", "/rest/ip/address", R"({"address":"10.0.0.1/24","disabled":true})");
  EXPECT_EQ(put.form, Form::kCreated);
  EXPECT_EQ(put.call.command, "add");
  EXPECT_THAT(put.call.arguments,
              ElementsAre(Pair("address", "10.0.0.1/24"), Pair("disabled", "true")));
  const RestCall patch = call("PATCH", "/rest/ip/address/*1", R"({".id":"*1","!comment":""})");
  EXPECT_EQ(patch.call.command, "set");
  EXPECT_THAT(patch.call.arguments, ElementsAre(Pair("numbers", "*1"), Pair("!comment", "")));
  const RestCall gone = call("DELETE", "/rest/ip/address/*1");
  EXPECT_EQ(gone.call.command, "remove");
  EXPECT_THAT(gone.call.arguments, ElementsAre(Pair("numbers", "*1")));
  const RestCall settings = call("PATCH", "/rest/system/identity", R"({"name":"x"})");
  EXPECT_THAT(settings.call.arguments, ElementsAre(Pair("name", "x")));
}

TEST(RestCall, D9_ValuesAsJsonOrAsText) {
  const RestCall put = call("PUT", "/rest/ip/address",
                            R"({"a":"x","b":5,"c":false,"d":null,"e":["p","q"],"f":-1,"g":[]})");
  EXPECT_THAT(put.call.arguments,
              ElementsAre(Pair("a", "x"), Pair("b", "5"), Pair("c", "false"), Pair("d", ""),
                          Pair("e", "p,q"), Pair("f", "-1"), Pair("g", "")));
  EXPECT_THAT(wrong("PUT", "/rest/ip/address", R"({"mtu":1e3})").detail, HasSubstr("mtu"));
  EXPECT_EQ(wrong("PUT", "/rest/ip/address", R"({"mtu":1.5})").status, 400);
  EXPECT_EQ(wrong("PUT", "/rest/ip/address", R"({"mtu":{}})").status, 400);
  EXPECT_EQ(wrong("PUT", "/rest/ip/address", R"({"mtu":[[1]]})").status, 400);
}

TEST(RestCall, D9_NumbersInOctalAndHexadecimal) {
  const RestCall put = call("PUT", "/rest/ip/address",
                            R"({"a":0x1F,"b":[010,-0XfF],"c":"0x1F","d\"":0,"0x1F":00, "e" : 07 ,
                               "f":0xFFFFFFFFFFFFFFFF})");
  EXPECT_THAT(put.call.arguments,
              ElementsAre(Pair("a", "31"), Pair("b", "8,-255"), Pair("c", "0x1F"), Pair("d\"", "0"),
                          Pair("0x1F", "0"), Pair("e", "7"), Pair("f", "18446744073709551615")));
  for (const char* bad : {"08", "0x", "0xg", "0x1F.5", "0x-1", "-", "0x1FFFFFFFFFFFFFFFF"}) {
    EXPECT_THAT(wrong("PUT", "/rest/ip/address", fmt::format(R"({{"a":{}}})", bad)).detail,
                HasSubstr("The request is not JSON: character"))
        << bad;
  }
  EXPECT_THAT(wrong("PUT", "/rest/ip/address", R"({"a":0x1F,})").detail,
              HasSubstr("character 11 "));
}

TEST(RestCall, D10_WhatIsNoJsonIsSaidWithItsPlace) {
  EXPECT_EQ(wrong("PUT", "/rest/ip/address", R"({"a":1,})").detail,
            "The request is not JSON: character 8 does not fit; expected here: string literal.");
  EXPECT_EQ(wrong("PUT", "/rest/ip/address", R"({"a":1)").detail,
            "The request is not JSON: it ends too early, after character 6; expected here: '}'.");
  EXPECT_THAT(wrong("PUT", "/rest/ip/address", "name=x").detail,
              HasSubstr("not JSON: character 2 does not fit"));
}

TEST(RestCall, D10_WhatIsNotThere) {
  EXPECT_EQ(wrong("GET", "/rest/no/such").status, 404);
  EXPECT_EQ(wrong("GET", "/").status, 404);
  EXPECT_EQ(wrong("GET", "/restx").status, 404);
  EXPECT_EQ(wrong("GET", "/rest").status, 404);
  EXPECT_EQ(wrong("GET", "/rest/ip").status, 404);
  EXPECT_EQ(wrong("POST", "/rest/wireless/print").status, 404);
  EXPECT_THAT(wrong("GET", "/rest/wireless").detail, HasSubstr("no such command prefix"));  // D-40
  const RestError remove = wrong("DELETE", "/rest/interface/ether1");
  EXPECT_EQ(remove.status, 406);
  EXPECT_THAT(remove.detail, HasSubstr("no such command or directory (remove)"));
  EXPECT_EQ(wrong("PUT", "/rest/system/identity").status, 406);
  EXPECT_EQ(wrong("PATCH", "/rest/ip/address", "{}").status, 400);
  EXPECT_EQ(wrong("DELETE", "/rest/ip/address").status, 400);
  EXPECT_EQ(wrong("OPTIONS", "/rest/ip/address").status, 405);
}

TEST(RestCall, BadBodiesAndTargets) {
  EXPECT_EQ(wrong("PUT", "/rest/ip/address", "[1]").status, 400);
  EXPECT_EQ(wrong("PUT", "/rest/ip/address", "{").status, 400);
  EXPECT_EQ(wrong("PUT", "/rest/ip/address", "{\"a\":\"\xff\"}").status, 400);
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "{\"a\":";
  EXPECT_EQ(wrong("PUT", "/rest/ip/address", deep).status, 400);
  EXPECT_EQ(wrong("GET", "/rest/ip/address/%zz").status, 400);
  EXPECT_EQ(wrong("GET", "/rest/ip/address?a=%4").status, 400);
  std::string many = "/rest/ip/address?";
  for (int i = 0; i < 1000; ++i) many += "a=1&";
  EXPECT_EQ(wrong("GET", many).status, 400);
}

TEST(RestBody, D8_D9_RowsAreObjectsOfStrings) {
  RestAnswer answer;
  model::PrintRow row;
  row.id = "*1";
  row.fields = {{"name", "a\"b\\c\n\x01"}, {"x", "\xc3\xa9\xff"}};
  answer.rows = {row, row};
  const std::string one =
      "{\".id\":\"*1\",\"name\":\"a\\\"b\\\\c\\n\\u0001\",\"x\":\"\xc3\xa9\xef\xbf\xbd\"}";
  EXPECT_EQ(rest_body(answer), "[" + one + "," + one + "]");
  answer.object = true;
  EXPECT_EQ(rest_body(answer), one);
  answer.result = {{"ret", "*2"}};
  EXPECT_EQ(rest_body(answer), "{\"ret\":\"*2\"}");
  EXPECT_EQ(rest_body(RestAnswer{}), "[]");
  RestAnswer none;
  none.no_body = true;
  EXPECT_EQ(rest_body(none), "");
}

TEST(RestBody, BrokenUtf8BecomesValidJson) {
  for (const std::string_view bad :
       {"\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\x80", "\xf0\x80\x80\x80"}) {
    std::string out;
    observe::append_json(out, bad);
    EXPECT_EQ(out.find(bad), std::string::npos);
    EXPECT_THAT(out, HasSubstr("\xef\xbf\xbd"));
  }
  std::string good;
  observe::append_json(good, "\xf0\x9f\x98\x80\xe2\x82\xac");
  EXPECT_EQ(good, "\"\xf0\x9f\x98\x80\xe2\x82\xac\"");
}

TEST(RestBody, D10_Errors) {
  EXPECT_EQ(rest_body(rest_error(404, "")), R"({"error":404,"message":"Not Found"})");
  EXPECT_EQ(rest_body(rest_error(400, "no such item")),
            R"({"error":400,"message":"Bad Request","detail":"no such item"})");
}

TEST(RestBody, AnErrorSaysWhichRuleItIsAbout) {
  const auto said = [](Error error) {
    model::Failure failure;
    failure.errors.push_back(std::move(error));
    return client_text(failure);
  };
  EXPECT_EQ(said({"ports need a protocol", "/ip/firewall/filter", "*3", "src-port", {}}),
            "ports need a protocol (filter rule *3, src-port)");
  EXPECT_EQ(said({"action=jump needs jump-target", "/ip/firewall/nat", "*3", "jump-target", {}}),
            "action=jump needs jump-target (nat rule *3)");
  EXPECT_EQ(said({"no such item: there is no row \"*3\"", "/ip/firewall/nat", "*3", "", {}}),
            "no such item: there is no row \"*3\"");
  EXPECT_EQ(said({"failure: already have such address", "/ip/address", "10.0.0.1/24", "", {}}),
            "failure: already have such address");
}

TEST(BasicAuth, Rfc7617) {
  const auto who = basic_auth("Basic YWRtaW46cGE6c3M=");
  ASSERT_TRUE(who);
  EXPECT_EQ(who->user, "admin");
  EXPECT_EQ(who->password, "pa:ss");
  EXPECT_TRUE(basic_auth("basic  YWRtaW46"));
  for (const char* bad :
       {"", "Basic", "Basic !!!!", "Bearer YWRtaW46", "Basic YWRtaW4=", "Basic YWRtaW46x"})
    EXPECT_FALSE(basic_auth(bad)) << bad;
}

}  // namespace
}  // namespace maclane::door
