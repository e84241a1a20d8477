// The table of /ip/firewall/service-port (B-24): the helpers of RouterOS, no more and no less.
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr Property kServicePort[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 16,
     .help = "which helper; fixed"},
    {.name = "ports",
     .type = Type::kInteger,
     .flags = P::kList,
     .min = 1,
     .max = 65535,
     .help = "connections to these ports have the helper from their beginning on; up to eight"},
    {.name = "sip-direct-media",
     .type = Type::kBool,
     .flags = P::kHidden,
     .help = "sip: yes: media is expected from the host that signals, and from no other"},
    {.name = "sip-timeout",
     .type = Type::kTime,
     .flags = P::kHidden,
     .min = kSecond,
     .max = kLongestTime,
     .help = "sip: how long a signalling connection lives without a packet"},
    {.name = "disabled",
     .type = Type::kBool,
     .default_value = "false",
     .help =
         "yes: looks into no packet, and announces no connection; udplite, dccp and sctp: their "
         "ports are not read, and connections are told apart by addresses alone"},
    state_flag("invalid", "never: what cannot be done is refused"),
};
constexpr FlagLetter kLetters[] = {{'X', "disabled", "disabled"}, {'I', "invalid", "invalid"}};
constexpr std::string_view kColumns[] = {"name", "ports"};

constexpr InitialValue kOff = {"disabled", "true"};
constexpr InitialValue kFtp[] = {{"name", "ftp"}, {"ports", "21"}};
constexpr InitialValue kTftp[] = {{"name", "tftp"}, {"ports", "69"}};
constexpr InitialValue kIrc[] = {{"name", "irc"}, {"ports", "6667"}, kOff};
constexpr InitialValue kH323[] = {{"name", "h323"}, kOff};
constexpr InitialValue kSip[] = {
    {"name", "sip"}, {"ports", "5060,5061"}, {"sip-direct-media", "true"}, {"sip-timeout", "1h"}};
constexpr InitialValue kPptp[] = {{"name", "pptp"}};
constexpr InitialValue kRtsp[] = {{"name", "rtsp"}, {"ports", "554"}, kOff};
constexpr InitialValue kUdplite[] = {{"name", "udplite"}};
constexpr InitialValue kDccp[] = {{"name", "dccp"}};
constexpr InitialValue kSctp[] = {{"name", "sctp"}};
constexpr InitialRow kInitial[] = {{kFtp},  {kTftp}, {kIrc},     {kH323}, {kSip},
                                   {kPptp}, {kRtsp}, {kUdplite}, {kDccp}, {kSctp}};

constexpr Menu kMenus[] = {
    {.path = "/ip/firewall/service-port",
     .kind = Menu::Kind::kList,
     .properties = kServicePort,
     .letters = kLetters,
     .columns = kColumns,
     .help = "helpers for protocols whose connections open others",
     .initial = kInitial,
     .flags = Menu::kFixedRows,
     .noun = "service port"},
};

}  // namespace

std::span<const Menu> helper_menus() {
  return kMenus;
}

}  // namespace maclane::model
