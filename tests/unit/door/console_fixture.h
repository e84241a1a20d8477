// A console on a model of its own, without a socket.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "control/door/console.h"

namespace maclane::door {

class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest() {
    runner_.use_files({[this](std::string_view name) -> Result<std::string> {
                         const auto found = files_.find(std::string(name));
                         if (found == files_.end()) return fail("there is no such file");
                         return found->second;
                       },
                       [this](std::string_view name, std::string_view bytes) -> Status {
                         files_[std::string(name)] = bytes;
                         return {};
                       }});
    model_.on_commit([this](const model::Tree&) -> Status {
      ++commits_;
      return {};
    });
    runner_.serve();
    model::Caller caller;
    caller.user = "admin";
    caller.via = "console";
    console_.emplace(runner_, caller);
    says("/interface ethernet add name=ether1 device=net_null0");
  }

  /// Everything said until the command has ended; its end is in done_.
  std::string ask(const Json& request) {
    std::string lines;
    console_->take(request.dump(), lines);
    for (int i = 0; console_->busy(); ++i) {
      if (i == turns_) console_->take(R"({"stop":true})", lines);  // it goes on for ever
      runner_.turn();
      console_->collect(lines);
    }
    std::string out;
    done_ = Json::object();
    for (size_t begin = 0; begin < lines.size();) {
      const size_t end = lines.find('\n', begin);
      const Json line = Json::parse(lines.substr(begin, end - begin));
      if (line.contains("out")) out += line["out"].get<std::string>();
      if (line.contains("warn")) out += "(" + line["warn"].get<std::string>() + ")";
      if (line.contains("done")) done_ = line["done"];
      if (line.contains("refused")) out += line["refused"].get<std::string>();
      if (line.contains("completion")) done_ = line["completion"];
      begin = end + 1;
    }
    return out;
  }
  std::string says(const std::string& text, const Json& more = Json::object()) {
    Json request = {{"run", text}};
    request.update(more);
    const std::string out = ask(request);
    if (done_.contains("error")) return out + "!" + done_["error"].get<std::string>();
    return out;
  }
  std::string words(const std::string& text, const std::string& menu = "") {
    ask({{"complete", text}, {"menu", menu}});
    std::string out;
    for (const Json& one : done_["candidates"]) {
      out += (out.empty() ? "" : " ") + one["text"].get<std::string>();
    }
    return out;
  }

  /// Of what kind the first is that would complete a text.
  std::string kind(const std::string& text) {
    ask({{"complete", text}, {"menu", ""}});
    return done_["candidates"].at(0)["kind"].get<std::string>();
  }

  std::map<std::string, std::string> files_;
  int commits_ = 0;
  int turns_ = 100'000;
  model::Model model_;
  model::Commands commands_{model_};
  script::Runner runner_{commands_};
  std::optional<Console> console_;
  Json done_;
};

}  // namespace maclane::door
