// The tables of DHCP options: those of one's own, sets of them, and clients told apart by theirs
// (behaviour.md C-4, C-14).
#include "control/model/dhcp_option.h"
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kPools[] = {"/ip/pool"};
constexpr std::string_view kServers[] = {"/ip/dhcp-server"};
constexpr std::string_view kOptions[] = {"/ip/dhcp-server/option"};
constexpr std::string_view kSets[] = {"/ip/dhcp-server/option/sets"};
constexpr std::string_view kNone[] = {"none"};
constexpr std::string_view kAll[] = {"all"};
constexpr std::string_view kNoPool[] = {"none", "static-only"};
constexpr std::string_view kTypes[] = {"exact", "substring"};

tl::expected<std::string, std::string> option_text(std::string_view text) {
  auto parts = parse_dhcp_option(text);
  if (!parts) return tl::make_unexpected(std::move(parts.error()));
  return std::string(text);
}

tl::expected<std::string, std::string> bytes_text(std::string_view text) {
  auto parts = parse_dhcp_option(text);
  if (!parts) return tl::make_unexpected(std::move(parts.error()));
  for (const DhcpOptionPart& part : *parts) {
    if (part.kind != DhcpOptionPart::Kind::kBytes) {
      return tl::make_unexpected(
          std::string("a value that is looked for is the same for all "
                      "clients: $(...) cannot stand in it"));
    }
  }
  return std::string(text);
}

constexpr Property kOption[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 63,
     .help = "what networks, servers and leases call it"},
    {.name = "code",
     .type = Type::kInteger,
     .flags = P::kRequired,
     .min = 1,
     .max = 254,
     .help = "the option's number"},
    {.name = "value",
     .type = Type::kString,
     .max = 2048,
     .help = "0x0a0b, 'text', '10.0.0.1' (four bytes), s'10.0.0.1' (text), '10' (one byte), "
             "$(HOSTNAME), $(NETWORK_GATEWAY), and several of these one after the other",
     .convert = option_text},
    {.name = "force",
     .type = Type::kBool,
     .default_value = "false",
     .help = "yes: sent to clients that did not ask for it too"},
    comment(),
    read_only("raw-value", Type::kString, "the bytes that are sent"),
};
constexpr std::string_view kOptionColumns[] = {"name", "code", "value", "raw-value", "force"};
constexpr Property kOptionSet[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 63,
     .help = "what networks, servers and leases call it"},
    {.name = "options",
     .type = Type::kReference,
     .flags = P::kRequired | P::kList,
     .reference = kOptions,
     .help = "the options in it"},
    comment(),
};
constexpr std::string_view kOptionSetColumns[] = {"name", "options"};
constexpr Property kMatcher[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 63,
     .help = "for people"},
    {.name = "server",
     .type = Type::kReference,
     .default_value = "all",
     .values = kAll,
     .reference = kServers,
     .help = "the server whose clients are looked at"},
    {.name = "code",
     .type = Type::kInteger,
     .flags = P::kRequired,
     .min = 1,
     .max = 254,
     .help =
         "the option that is looked at: 12 the host name, 60 the kind of client, 61 its client-id, "
         "82 what its relay says"},
    {.name = "value",
     .type = Type::kString,
     .flags = P::kRequired,
     .max = 2048,
     .help = "what it must be: 0x0a0b, 'text', '10.0.0.1', s'10.0.0.1', and several of these",
     .convert = bytes_text},
    {.name = "matching-type",
     .type = Type::kEnum,
     .default_value = "exact",
     .values = kTypes,
     .help = "exact: all of the option; substring: a part of it"},
    {.name = "address-pool",
     .type = Type::kReference,
     .default_value = "none",
     .values = kNoPool,
     .reference = kPools,
     .help =
         "where these clients' addresses come from; none: as all others'; static-only: they get "
         "none but by a row of lease"},
    {.name = "option-set",
     .type = Type::kReference,
     .default_value = "none",
     .values = kNone,
     .reference = kSets,
     .help = "options they are told beside those of network and server"},
    disabled(),
    comment(),
};
constexpr FlagLetter kLetters[] = {{'X', "disabled", "disabled"}};
constexpr std::string_view kColumns[] = {"name", "server",        "address-pool",
                                         "code", "matching-type", "value"};

constexpr Menu kMenus[] = {
    {"/ip/dhcp-server/option",
     Menu::Kind::kList,
     kOption,
     {},
     kOptionColumns,
     {},
     "DHCP options of one's own"},
    {"/ip/dhcp-server/option/sets",
     Menu::Kind::kList,
     kOptionSet,
     {},
     kOptionSetColumns,
     {},
     "several options under one name"},
    {.path = "/ip/dhcp-server/matcher",
     .kind = Menu::Kind::kOrdered,
     .properties = kMatcher,
     .letters = kLetters,
     .columns = kColumns,
     .help = "clients told apart by what they say: the first row that fits gives pool and options",
     .noun = "dhcp matcher"},
};

}  // namespace

std::span<const Menu> dhcp_option_menus() {
  return kMenus;
}

}  // namespace maclane::model
