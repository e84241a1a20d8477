// The tables of /certificate, /file and /system/backup.
#include "control/model/schema_parts.h"
#include "control/model/secrets.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kKeySizes[] = {"1024", "1536",       "2048",      "4096",
                                          "8192", "prime256v1", "secp384r1", "secp521r1"};

constexpr Property subject(std::string_view name, std::string_view help, int64_t most = 64) {
  return {.name = name, .type = Type::kString, .flags = P::kHidden, .max = most, .help = help};
}

constexpr Property kCertificate[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 128,
     .help = ""},
    {.name = "common-name",
     .type = Type::kString,
     .max = 64,
     .help = "of the subject; what sign writes into the certificate"},
    subject("country", "two letters", 2),
    subject("state", "of the subject"),
    subject("locality", "of the subject"),
    subject("organization", "of the subject"),
    subject("unit", "of the subject"),
    {.name = "subject-alt-name",
     .type = Type::kString,
     .flags = P::kHidden,
     .max = 4096,
     .help = "names and addresses it is for: DNS:router.example,IP:192.0.2.1"},
    {.name = "days-valid",
     .type = Type::kInteger,
     .default_value = "365",
     .flags = P::kHidden,
     .min = 1,
     .max = 36500,
     .help = "from when sign makes it"},
    {.name = "key-size",
     .type = Type::kEnum,
     .default_value = "prime256v1",
     .flags = P::kHidden,
     .values = kKeySizes,
     .help =
         "of the key that sign makes: a curve, or the bits of an RSA key, which for 8192 take a "
         "minute to find; services take keys of 2048 bits or more. A curve unless said otherwise, "
         "not RouterOS's 2048: a handshake costs the router a twentieth with it"},
    {.name = "certificate-pem",
     .type = Type::kString,
     .flags = P::kOurs | P::kHidden | P::kUnique,
     .max = 262144,
     .help = "the certificate itself, and those that vouch for it, as PEM"},
    {.name = "key-pem",
     .type = Type::kString,
     .flags = P::kOurs | P::kHidden | P::kWriteOnly | P::kUnique,
     .max = 131072,
     .help = "its private key as PEM, kept sealed under the key of the state folder",
     .convert = secrets::convert_sealed},
    comment(),
    read_only("fingerprint", Type::kString, "SHA-256"),
    read_only("serial-number", Type::kString, ""),
    read_only("issuer", Type::kString, "who vouches for it"),
    read_only("invalid-before", Type::kString, ""),
    read_only("invalid-after", Type::kString, ""),
    read_only("expires-after", Type::kTime, ""),
    read_only("key-type", Type::kString, "ec, rsa or ed25519"),
    state_flag("private-key", "it can be used by a service"),
    state_flag("authority", "it may vouch for others"),
    state_flag("expired", "its time is over"),
};
constexpr FlagLetter kLetters[] = {{'K', "private-key", "private-key"},
                                   {'A', "authority", "authority"},
                                   {'E', "expired", "expired"}};
constexpr std::string_view kColumns[] = {"name", "common-name", "subject-alt-name", "invalid-after",
                                         "fingerprint"};

constexpr Property kImport[] = {
    {.name = "file-name",
     .type = Type::kString,
     .flags = P::kRequired,
     .reference = kFiles,
     .help = "a file of /file: PEM, DER or PKCS#12"},
    {.name = "passphrase", .type = Type::kString, .help = "of the private key or of the PKCS#12"},
    {.name = "name", .type = Type::kString, .max = 128, .help = "the row's; unset: the file's"},
};
constexpr Property kSign[] = {
    numbers("the row to sign, made with add"),
    {.name = "name", .type = Type::kString, .max = 128, .help = "a new name for it"},
};
constexpr Property kExport[] = {
    numbers("which certificate"),
    {.name = "file-name", .type = Type::kString, .help = "unset: cert_export_NAME"},
};
constexpr Command kCertificateCommands[] = {
    {.name = "import",
     .help = "takes certificates, each as a row, and a private key, which goes to the one it fits",
     .arguments = kImport,
     .positional = "file-name"},
    {.name = "sign",
     .help = "makes the certificate of a row and its key: it vouches for itself",
     .arguments = kSign,
     .positional = "numbers",
     .flags = Command::kRows},
    {.name = "export-certificate",
     .help = "writes the certificate, without its key, to a file",
     .arguments = kExport,
     .positional = "numbers",
     .flags = Command::kRows},
};

constexpr Property kFile[] = {
    {.name = "name", .type = Type::kString, .flags = P::kReadOnly | P::kName, .help = ""},
    read_only("type", Type::kString, "directory, script, backup, .txt file ..."),
    in_units("size", "B", "bytes"),
    read_only("last-modified", Type::kString, ""),
    {.name = "contents",
     .type = Type::kString,
     .flags = P::kReadOnly | P::kHidden | P::kSecret,
     .help = "of a text file of at most 60 KiB; not of backups"},
};
constexpr std::string_view kFileColumns[] = {"name", "type", "size", "last-modified"};
constexpr std::string_view kFileTypes[] = {"file", "directory"};
constexpr int64_t kLongestContents = int64_t{4} << 20;

constexpr Property kAddFile[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired,
     .max = 255,
     .help = "its name, in a folder that is there"},
    {.name = "type",
     .type = Type::kEnum,
     .default_value = "file",
     .values = kFileTypes,
     .help = "a file or a folder"},
    {.name = "contents",
     .type = Type::kString,
     .max = kLongestContents,
     .help = "what stands in it"},
};
constexpr Property kSetFile[] = {
    numbers("which file"),
    {.name = "contents",
     .type = Type::kString,
     .max = kLongestContents,
     .help = "what shall stand in it"},
    {.name = "name", .type = Type::kString, .max = 255, .help = "a new name"},
};
constexpr Property kRemoveFile[] = {numbers("which files")};
constexpr Command kFileCommands[] = {
    {.name = "add", .help = "makes a file or a folder", .arguments = kAddFile},
    {.name = "set",
     .help = "changes what stands in a file",
     .arguments = kSetFile,
     .positional = "numbers",
     .flags = Command::kRows},
    {.name = "remove",
     .help = "removes files, and folders that are empty",
     .arguments = kRemoveFile,
     .positional = "numbers",
     .flags = Command::kRows},
};

constexpr std::string_view kEncryption[] = {"aes-sha256"};
constexpr std::string_view kLaterEncryption[] = {"rc4"};
constexpr Property kSave[] = {
    {.name = "name", .type = Type::kString, .max = 200, .help = "unset: identity, date and time"},
    {.name = "password", .type = Type::kString, .max = 512, .help = "unset: not encrypted"},
    flag("dont-encrypt", "yes: not encrypted, whatever else is said"),
    {.name = "encryption",
     .type = Type::kEnum,
     .default_value = "aes-sha256",
     .values = kEncryption,
     .help = "aes-sha256: here AES-256-GCM under a key made with scrypt",
     .not_working = kLaterEncryption,
     .not_working_reason = "RC4 protects nothing; aes-sha256 does"},
};
constexpr Property kLoad[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired,
     .reference = kFiles,
     .help = "a backup of /file"},
    {.name = "password", .type = Type::kString, .help = "that it was saved with"},
};
constexpr Command kBackupCommands[] = {
    {.name = "save",
     .help = "writes everything that is configured to one file, secrets included",
     .arguments = kSave,
     .policy = Policy::kPolicy | Policy::kSensitive},
    {.name = "load",
     .help = "puts what a backup holds in the place of all that is configured, at once or not at "
             "all",
     .arguments = kLoad,
     .policy = Policy::kPolicy | Policy::kWrite,
     .question = "Restore and reboot?"},
};

constexpr Menu kMenus[] = {
    {.path = "/certificate",
     .kind = Menu::Kind::kList,
     .properties = kCertificate,
     .letters = kLetters,
     .columns = kColumns,
     .help = "certificates and their private keys",
     .commands = kCertificateCommands,
     .noun = "certificate"},
    {.path = "/file",
     .kind = Menu::Kind::kState,
     .properties = kFile,
     .columns = kFileColumns,
     .help = "files of the state folder: exports, scripts, backups, certificates",
     .commands = kFileCommands},
    {.path = "/system/backup",
     .kind = Menu::Kind::kGroup,
     .help = "the whole configuration in one file",
     .commands = kBackupCommands},
};

}  // namespace

std::span<const Menu> certificate_menus() {
  return kMenus;
}

}  // namespace maclane::model
