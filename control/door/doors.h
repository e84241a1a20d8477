// The doors to the network together: users, services, API, REST, certificates, files.
//
// The router makes one, gives it its turn in the control loop and asks what to poll. The model
// tells it of each change, and it opens, closes and moves ports before whoever asked has the
// answer. Only opening a port is done in the router's network namespace: what a client's command
// makes (the devices of an interface) belongs where maclane itself is. Control thread only.
#pragma once

#include <poll.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "control/door/api.h"
#include "control/door/auth.h"
#include "control/door/background.h"
#include "control/door/rest.h"
#include "control/model/commands.h"
#include "control/service/backup.h"
#include "control/service/certificates.h"
#include "control/service/files.h"
#include "control/service/netns.h"

namespace maclane::door {

class Doors {
 public:
  /// `enter` goes into the network namespace whose addresses the doors serve.
  Doors(model::Commands& commands, const std::string& state_folder,
        std::function<Netns::Scope()> enter);

  /// For Model's prepare: seals passwords for the old login, checks certificates.
  [[nodiscard]] Result<model::Tree> prepare(model::Tree tree) const;
  /// Opens what is enabled. After the first tree took effect.
  void start();

  void add_fds(std::vector<pollfd>& fds) const;
  /// What there is to do after a poll of what add_fds() appended; nothing if nothing of it was
  /// ready and no time has come.
  void turn(std::span<const pollfd> fds);
  [[nodiscard]] uint64_t next_deadline() const;

  /// Sessions that need no password: those of the console's socket.
  struct LocalSessions {
    std::function<std::vector<model::PrintRow>()> rows;  // of /user/active
    std::function<void(uint64_t session)> end;           // nothing if it is none of theirs
  };
  void show_local(LocalSessions local) { local_ = std::move(local); }

  [[nodiscard]] Auth& auth() { return auth_; }
  [[nodiscard]] Files& files() { return files_; }
  [[nodiscard]] Background& background() { return background_; }

 private:
  [[nodiscard]] bool is_due(std::span<const pollfd> fds) const;
  void serve_users();
  void serve_services();
  void configure();
  void retry(uint64_t now_ms);
  /// The TLS context of a service, kept while nothing changes.
  void prepare_tls(const ServiceSettings& service, TlsContext& context, std::string& problem);

  model::Commands& commands_;
  std::function<Netns::Scope()> enter_;
  Background background_;
  Auth auth_;
  Files files_;
  Certificates certificates_;
  Backup backup_;
  LocalSessions local_;
  ApiDoor api_;
  RestDoor rest_;
  struct Kept {
    TlsSettings settings;
    TlsContext context;
  };
  std::map<std::string, Kept> contexts_;  // by service
  uint64_t retried_ms_ = 0;
  bool started_ = false;
};

}  // namespace maclane::door
