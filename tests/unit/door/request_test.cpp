// Requests as text: replies, edits that happen whole or not at all, and hostile input.
#include "control/door/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace maclane::door {
namespace {

using testing::HasSubstr;

class RequestTest : public testing::Test {
 protected:
  RequestTest() : requests_(commands_) {
    model_.provide("/interface/macvlan", [](const model::View&, model::Fields& out) {
      out.emplace_back("running", "true");
    });
    model_.on_commit([this](const model::Tree&) -> Status {
      ++commits_;
      return {};
    });
    ok(R"({"path":"/interface/ethernet","command":"add","arguments":{"name":"ether1","device":"net_null0"}})");
  }

  Json ask(const std::string& line) {
    const std::string reply = requests_.answer(line);
    EXPECT_EQ(reply.find('\n'), std::string::npos);
    Json parsed = Json::parse(reply, nullptr, false);
    EXPECT_TRUE(parsed.is_object() && parsed.contains("ok")) << reply;
    EXPECT_TRUE(parsed.value("ok", true) || !parsed["errors"].empty()) << reply;
    return parsed;
  }
  Json ok(const std::string& line) {
    Json reply = ask(line);
    EXPECT_TRUE(reply["ok"].get<bool>()) << line << "\n" << reply.dump();
    return reply;
  }
  std::string refused(const std::string& line) {
    const Json reply = ask(line);
    EXPECT_FALSE(reply["ok"].get<bool>()) << line << "\n" << reply.dump();
    return reply["ok"].get<bool>() ? "" : reply["errors"][0]["message"].get<std::string>();
  }
  Json macvlan(const std::string& command, const std::string& arguments) {
    return ask(R"({"path":"/interface macvlan","command":")" + command + R"(","arguments":)" +
               arguments + "}");
  }
  size_t rows(std::string_view path = "/interface/macvlan") {
    return model_.tree().rows(path).size();
  }
  std::string value(const std::string& row, const std::string& property) {
    const Json reply =
        macvlan("get", R"({"numbers":")" + row + R"(","value-name":")" + property + "\"}");
    return reply.value("value", "");
  }

  model::Model model_;
  model::Commands commands_{model_};
  Requests requests_;
  int commits_ = 0;
  bool gone_ = false;
};

TEST_F(RequestTest, PrintsInSchemaOrderWithItsMenu) {
  macvlan(
      "add",
      R"({"mode":"private","name":"m1","interface":"ether1","mac-address":"76:81:bf:68:69:83"})");
  macvlan("add", R"({"name":"m2","interface":"ether1","disabled":true})");
  const Json reply = ok(R"({"path":"/interface/macvlan","command":"print","id":7})");
  EXPECT_EQ(reply["id"], 7);
  EXPECT_EQ(reply["menu"]["columns"].dump(), R"(["name","mtu","interface","mac-address","mode"])");
  EXPECT_EQ(reply["menu"]["flags"][0].dump(),
            R"({"letter":"X","property":"disabled","meaning":"disabled"})");
  ASSERT_EQ(reply["rows"].size(), 2U);
  const Json& row = reply["rows"][0];
  EXPECT_EQ(row[".id"], "*1");
  EXPECT_EQ(row["number"], 0);
  EXPECT_EQ(row["dynamic"], false);
  EXPECT_EQ(row["fields"]["mac-address"], "76:81:BF:68:69:83");
  EXPECT_EQ(row["fields"]["running"], "true");
  EXPECT_EQ(row["fields"].begin().key(), "name");
  const Json some = macvlan("print", R"({"where":"disabled","proplist":"mode,name"})");
  EXPECT_EQ(some["rows"].dump(),
            R"([{".id":"*2","number":1,"dynamic":false,"fields":{"name":"m2","mode":"bridge"}}])");
  EXPECT_EQ(macvlan("print", R"({"count-only":true,"where":"mode=private"})").dump(),
            R"({"ok":true,"count":1})");
}

TEST_F(RequestTest, EditsAreOneChangeEach) {
  commits_ = 0;
  EXPECT_EQ(macvlan("add", R"({"name":"m1","interface":"ether1"})")["ids"].dump(), R"(["*1"])");
  macvlan("add", R"({"name":"m2","interface":"ether1","mtu":1400})");
  EXPECT_EQ(commits_, 2);
  macvlan("set", R"({"numbers":"m1,1","mtu":"1300"})");
  EXPECT_EQ(commits_, 3);
  EXPECT_EQ(value("m1", "mtu"), "1300");
  EXPECT_EQ(value("m2", "mtu"), "1300");
  macvlan("disable", R"({".id":"*1"})");
  EXPECT_EQ(value("m1", "disabled"), "true");
  macvlan("enable", R"({"numbers":"0"})");
  EXPECT_EQ(value("m1", "disabled"), "false");
  macvlan("comment", R"({"numbers":"m1","comment":"the \"first\""})");
  EXPECT_EQ(value("m1", "comment"), "the \"first\"");
  macvlan("set", R"({"numbers":"m1","!comment":""})");
  EXPECT_EQ(value("m1", "comment"), "");
  // Numbers mean the rows as they stood before the change.
  macvlan("add", R"({"name":"m3","interface":"ether1"})");
  macvlan("remove", R"({"numbers":"0,1"})");
  ASSERT_EQ(rows(), 1U);
  EXPECT_EQ(value("0", "name"), "m3");
  ok(R"({"path":"/system/identity","command":"set","arguments":{"name":"edge1"}})");
  EXPECT_EQ(model_.tree().settings("/system/identity").get("name"), "edge1");
}

TEST_F(RequestTest, EditsHappenWholeOrNotAtAll) {
  commits_ = 0;
  EXPECT_FALSE(macvlan("add", R"({"name":"m1","interface":"ether9"})")["ok"].get<bool>());
  EXPECT_FALSE(
      macvlan("add", R"({"name":"m1","interface":"ether1","mode":"vepa"})")["ok"].get<bool>());
  EXPECT_FALSE(
      macvlan("add", R"({"name":"m1","interface":"ether1","colour":"red"})")["ok"].get<bool>());
  EXPECT_EQ(rows(), 0U);
  EXPECT_FALSE(ask(R"({"command":"apply","arguments":{"edits":[
      {"path":"/interface/macvlan","command":"add","values":{"name":"m1","interface":"ether1"}},
      {"path":"/ip/address","command":"add","values":{"address":"nonsense","interface":"m1"}}]}})")
                   ["ok"]
                       .get<bool>());
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(commits_, 0);
  ok(R"({"command":"apply","arguments":{"edits":[
      {"path":"/interface/macvlan","command":"add","values":{"name":"m1","interface":"ether1"}},
      {"path":"/ip/address","command":"add","address":"10.0.0.1/24","interface":"m1"}]}})");
  EXPECT_EQ(commits_, 1);
  EXPECT_EQ(rows(), 1U);
  EXPECT_EQ(rows("/ip/address"), 1U);
  macvlan("add", R"({"name":"m2","interface":"ether1"})");
  EXPECT_FALSE(macvlan("remove", R"({"numbers":"m2,nobody"})")["ok"].get<bool>());
  EXPECT_EQ(rows(), 2U);
}

TEST_F(RequestTest, MovesRules) {
  for (const char* action : {"accept", "drop", "passthrough"}) {
    ok(R"({"path":"/ip/firewall/filter","command":"add","arguments":{"chain":"forward","action":")" +
       std::string(action) + "\"}}");
  }
  ok(R"({"path":"/ip/firewall/filter","command":"move","arguments":{"numbers":"2","destination":"0"}})");
  const Json reply = ok(R"({"path":"/ip/firewall/filter","command":"print"})");
  EXPECT_EQ(reply["rows"][0]["fields"]["action"], "passthrough");
  EXPECT_EQ(reply["rows"][2]["fields"]["action"], "drop");
}

TEST_F(RequestTest, SaysWhatIsWrong) {
  EXPECT_THAT(refused("{"), HasSubstr("not JSON"));
  EXPECT_THAT(refused("[]"), HasSubstr("JSON object"));
  EXPECT_THAT(refused("{}"), HasSubstr("no command"));
  EXPECT_THAT(refused(R"({"path":"/interface/macvlna","command":"print"})"),
              HasSubstr("did you mean \"/interface/macvlan\""));
  EXPECT_THAT(refused(R"({"path":"/interface/macvlan","command":"frob"})"),
              HasSubstr("it can be print"));
  EXPECT_THAT(
      refused(R"({"path":"/interface/macvlan","command":"print","arguments":{"mode":"x"}})"),
      HasSubstr("unknown parameter mode; rows are chosen with where"));
  EXPECT_THAT(refused(R"({"path":"/interface/macvlan","command":"set","arguments":{"mtu":1}})"),
              HasSubstr("which rows"));
  EXPECT_THAT(
      refused(R"({"path":"/interface/macvlan","command":"remove","arguments":{"numbers":"x"}})"),
      HasSubstr("x"));
  EXPECT_THAT(refused(R"({"command":"apply"})"), HasSubstr("apply needs edits"));
  const Json where = macvlan("print", R"({"where":"running modee=x"})");
  EXPECT_EQ(where["errors"][0]["position"], 8);
  EXPECT_EQ(where["errors"][0]["path"], "/interface/macvlan");
}

TEST_F(RequestTest, CarriesRegisteredCommands) {
  using model::Answer;
  using model::Outcome;
  commands_.on("/system", "reload",
               [this](const model::Call&, const model::Caller& by) -> Answer<Outcome> {
                 EXPECT_EQ(by.via, "console");
                 if (gone_) return model::refuse(Trouble::kGeneral, "The file is gone.");
                 Outcome out;
                 out.text = "reloaded";
                 return out;
               });
  commands_.on("/system", "status", [](const model::Call&, const model::Caller&) {
    Outcome out;
    out.result = {{"changed", "3"}};
    return Answer<Outcome>(std::move(out));
  });
  commands_.on("/system", "shutdown",
               [](const model::Call&, const model::Caller&) -> Answer<Outcome> {
                 throw std::runtime_error("boom");
               });
  EXPECT_EQ(ok(R"({"path":"/system","command":"status"})")["result"].dump(), R"({"changed":"3"})");
  EXPECT_EQ(ok(R"({"path":"/system","command":"reload"})")["result"], "reloaded");
  gone_ = true;
  EXPECT_EQ(refused(R"({"path":"/system","command":"reload"})"), "The file is gone.");
  EXPECT_EQ(refused(R"({"path":"/system","command":"reload","arguments":{"bad":""}})"),
            "unknown parameter bad");
  EXPECT_THAT(refused(R"({"path":"/system","command":"shutdown"})"), HasSubstr("boom"));
  const std::string menus = ok(R"({"command":"menus"})").dump();
  EXPECT_THAT(menus, HasSubstr(R"("commands":["status","reload","shutdown")"));
  EXPECT_THAT(menus, HasSubstr(R"("path":"/interface/macvlan","kind":"list")"));
  const Json schema = ok(R"({"path":"/interface/macvlan","command":"schema"})");
  EXPECT_EQ(schema["properties"][0]["name"], "name");
  EXPECT_EQ(schema["properties"][2]["values"].dump(), R"(["bridge","private"])");
}

TEST_F(RequestTest, BoundsDepthAndWidth) {
  EXPECT_THAT(refused(std::string(500'000, '[')), HasSubstr("deeper"));
  std::string wide = R"({"command":"menus","arguments":{)";
  for (int i = 0; i < 60'000; ++i) wide += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_THAT(refused(wide + "\"z\":1}}"), HasSubstr("more than 512 keys"));
  EXPECT_THAT(refused("\"" + std::string(Requests::kMaxLine, 'x') + "\""), HasSubstr("1 MiB"));
  EXPECT_THAT(refused(R"({"command":"menus","id":[1]})"), HasSubstr("id"));
}

TEST_F(RequestTest, SurvivesAnyBytes) {
  macvlan("add", R"({"name":"m1","interface":"ether1"})");
  std::mt19937 random(11);
  const std::string seeds[] = {
      R"({"path":"/interface/macvlan","command":"set","arguments":{"numbers":"m1","mtu":"1400"}})",
      R"({"path":"/interface/macvlan","command":"print","arguments":{"where":"name~\"m.\" or mtu>1"}})",
      R"({"command":"apply","arguments":{"edits":[{"path":"/ip/address","command":"add","values":{"address":"1.2.3.4/8","interface":"m1"}}]}})"};
  for (int i = 0; i < 4'000; ++i) {
    std::string line;
    if (i % 3 == 0) {
      for (size_t n = random() % 60; n != 0; --n) line += static_cast<char>(random());
    } else {
      line = seeds[random() % 3];
      for (size_t n = 1 + random() % 4; n != 0; --n) {
        const size_t at = random() % line.size();
        if (random() % 2 == 0)
          line.erase(at, 1 + random() % 5);
        else
          line[at] = static_cast<char>(random());
        if (line.empty()) line = "x";
      }
    }
    (void)ask(line);
  }
  // Values of every JSON type in every place.
  const char* values[] = {"null", "1",    "-1", "1e99",       "true",       "\"\"",
                          "[]",   "[[]]", "{}", "{\"a\":{}}", "\"\\u0000\""};
  for (const char* command :
       {"print", "get", "add", "set", "remove", "move", "enable", "comment", "apply"}) {
    for (const char* key : {"where", "numbers", "proplist", "count-only", "edits", "values", "name",
                            "place-before"}) {
      for (const char* value : values) {
        (void)ask(std::string(R"({"path":"/interface/macvlan","command":")") + command +
                  R"(","arguments":{")" + key + "\":" + value + "}}");
        (void)ask(std::string(R"({"path":"/interface/macvlan","command":")") + command +
                  R"(","arguments":)" + value + ",\"" + key + "\":" + value + "}");
      }
    }
  }
}

}  // namespace
}  // namespace maclane::door
