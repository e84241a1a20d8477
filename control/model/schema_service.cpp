// The table of /ip/service (C-47): eight rows, no more and no less.
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kCertificates[] = {"/certificate"};
constexpr std::string_view kNone[] = {"none"};
constexpr std::string_view kTlsVersions[] = {"any", "only-1.2"};
constexpr std::string_view kVrf[] = {"main"};

constexpr Property kService[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 16,
     .help = "which service; fixed"},
    {.name = "port",
     .type = Type::kInteger,
     .flags = P::kRequired,
     .min = 1,
     .max = 65535,
     .help = "TCP"},
    {.name = "address",
     .type = Type::kIp4Prefix,
     .flags = P::kList | P::kNetwork | P::kIp6Too,
     .help = "who may use it; unset: everybody. Others are accepted and closed at once"},
    {.name = "certificate",
     .type = Type::kReference,
     .default_value = "none",
     .values = kNone,
     .reference = kCertificates,
     .help = "a row of /certificate with its private key. none: www-ssl takes the one made at the "
             "first start, api-ssl offers anonymous DH"},
    {.name = "tls-version",
     .type = Type::kEnum,
     .default_value = "any",
     .values = kTlsVersions,
     .help = "any: 1.2 and 1.3"},
    {.name = "max-sessions",
     .type = Type::kInteger,
     .default_value = "20",
     .min = 1,
     .max = 1000,
     .help = "connections at once"},
    {.name = "vrf",
     .type = Type::kEnum,
     .default_value = "main",
     .values = kVrf,
     .help = "main, the only one"},
    {.name = "empty-replies",
     .type = Type::kBool,
     .default_value = "false",
     .flags = P::kOurs | P::kHidden,
     .help = "api, api-ssl: yes sends !empty before !done when a print has no rows, as RouterOS "
             "does from 7.18 on; some clients cannot read that"},
    {.name = "disabled",
     .type = Type::kBool,
     .default_value = "false",
     .help = "yes: the port is closed"},
    state_flag("invalid",
               "the service cannot be offered: its port is taken, or its certificate is "
               "no good; the log says why"),
    {.name = "sessions",
     .type = Type::kInteger,
     .flags = P::kReadOnly | P::kOurs | P::kCounter,
     .help = "connections now"},
};
constexpr FlagLetter kLetters[] = {{'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}};
constexpr std::string_view kColumns[] = {"name",        "port", "address",
                                         "certificate", "vrf",  "max-sessions"};

constexpr InitialValue kFtp[] = {{"name", "ftp"}, {"port", "21"}, {"disabled", "true"}};
constexpr InitialValue kSsh[] = {{"name", "ssh"}, {"port", "22"}, {"disabled", "true"}};
constexpr InitialValue kTelnet[] = {{"name", "telnet"}, {"port", "23"}, {"disabled", "true"}};
constexpr InitialValue kWww[] = {{"name", "www"}, {"port", "80"}};
constexpr InitialValue kWwwSsl[] = {{"name", "www-ssl"}, {"port", "443"}, {"disabled", "true"}};
constexpr InitialValue kWinbox[] = {{"name", "winbox"}, {"port", "8291"}, {"disabled", "true"}};
constexpr InitialValue kApi[] = {{"name", "api"}, {"port", "8728"}};
constexpr InitialValue kApiSsl[] = {{"name", "api-ssl"}, {"port", "8729"}};
constexpr InitialRow kInitial[] = {{kFtp},    {kSsh},    {kTelnet}, {kWww},
                                   {kWwwSsl}, {kWinbox}, {kApi},    {kApiSsl}};

constexpr Menu kMenus[] = {
    {.path = "/ip/service",
     .kind = Menu::Kind::kList,
     .properties = kService,
     .letters = kLetters,
     .columns = kColumns,
     .help = "what the router serves on its own addresses",
     .initial = kInitial,
     .flags = Menu::kFixedRows,
     .noun = "service"},
};

}  // namespace

std::span<const Menu> service_menus() {
  return kMenus;
}

}  // namespace maclane::model
