// OpenSSL's streams in memory, owned.
#pragma once

#include <openssl/bio.h>

#include <memory>
#include <string_view>

namespace maclane::door {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioFree>;

/// A stream to read from; the text must outlive it. Any thread.
[[nodiscard]] inline Bio bio_of(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace maclane::door
