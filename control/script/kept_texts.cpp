// See kept_texts.h.
#include "control/script/kept_texts.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "control/model/state.h"
#include "control/observe/log.h"

namespace maclane::script {
namespace {

constexpr std::string_view kKeptTopics = "system,warning";

}  // namespace

KeptTexts::KeptTexts(std::string path, std::string_view lost) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::ifstream file(path_);
  if (!file) return;
  const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    log::write(log::Level::kWarning, kKeptTopics,
               "{} is damaged: it should be a JSON object of texts; it is not known {}", path_,
               lost);
    return;
  }
  for (const auto& [name, text] : json.items())
    if (text.is_string()) texts_.emplace(name, text.get<std::string>());
}

KeptTexts::~KeptTexts() {
  save();
}

std::string KeptTexts::of(std::string_view name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? std::string{} : found->second;
}

void KeptTexts::note(const std::string& name, std::string text) {
  std::string& known = texts_[name];
  if (known == text) return;
  known = std::move(text);
  changed_ = true;
}

void KeptTexts::keep_only(const std::function<bool(const std::string&)>& is_there) {
  if (std::erase_if(texts_, [&](const auto& one) { return !is_there(one.first); }) > 0)
    changed_ = true;
}

void KeptTexts::save() {
  if (!changed_ || path_.empty()) return;
  changed_ = false;
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [name, kept] : texts_) json[name] = kept;
  // A name that is no UTF-8 is written all the same.
  const std::string text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  const Status status = model::write_atomically(path_, text + "\n");
  if (status) return;
  for (const Error& error : status.error())
    log::write(log::Level::kWarning, kKeptTopics, "{}", error.text());
}

}  // namespace maclane::script
