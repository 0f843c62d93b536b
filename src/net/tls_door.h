// TLS of a server's connections: its certificate, and what a client's certificate is worth.
//
// A client that shows none, or one that nobody trusts, is let in as such: who asks for a proof
// answers it with a sentence and keeps a record, which no broken handshake can. So no session is
// ever resumed: a certificate is looked at in every handshake, by the authorities of that moment.
//
// Certificate, key and authorities are files; reload() reads them again when they changed, and new
// connections get the new ones. Thread-safe. Inside net/ only: includes Asio.
#pragma once

#include "net/asio_setup.h"

#include "base/mutex.h"
#include "net/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include <array>
#include <memory>

namespace tagout::net {

class TlsDoor {
public:
    using Context = boost::asio::ssl::context;

    /// InvalidArgument names the file and what is wrong with it.
    static Result<std::shared_ptr<TlsDoor>> open(const TlsFiles& files);
    explicit TlsDoor(TlsFiles files) : files_(std::move(files)) {}

    [[nodiscard]] std::shared_ptr<Context> context() const;
    /// True: the files had changed and are in use now. On an error the earlier ones stay in use.
    Result<bool> reload();

private:
    using Stamp = std::array<std::int64_t, 12>;
    [[nodiscard]] Stamp stamp() const;

    const TlsFiles files_;
    mutable Mutex mutex_;
    std::shared_ptr<Context> context_ TAGOUT_GUARDED_BY(mutex_);
    Stamp stamp_ TAGOUT_GUARDED_BY(mutex_){};
};

/// One connection's side of it, confined to its loop.
struct TlsLink {
    TlsLink(boost::asio::ip::tcp::socket& socket, std::shared_ptr<TlsDoor::Context> used);

    /// What the client showed; null if nothing. After the handshake.
    [[nodiscard]] std::shared_ptr<const PeerCertificate> certificate() const;

    const std::shared_ptr<TlsDoor::Context> context;
    boost::asio::ssl::stream<boost::asio::ip::tcp::socket&> stream;
    int fault = 0;  ///< The first that was found with the client's certificate.
};

}  // namespace tagout::net
