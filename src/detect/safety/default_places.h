// Where an agent has no business unless its user says so: the default of
// detection.safety.sensitive_endpoint.places. Literal texts, blind to case, found in a call's
// arguments (guarded_text.h). Cloud metadata, password and key files, consoles of administrators.
#pragma once

#include <string>
#include <vector>

namespace tagout::detect {

[[nodiscard]] inline std::vector<std::string> default_places() {
    return {
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "metadata.google.internal",
        "/latest/meta-data",
        "kubernetes.default.svc",
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/sudoers",
        "/.ssh/",
        "id_rsa",
        "id_ed25519",
        "/.aws/credentials",
        "/.kube/config",
        "/.docker/config.json",
        "/.netrc",
        "/.git-credentials",
        "/.pgpass",
        "/proc/self/environ",
        "docker.sock",
        "/run/secrets",
        "wp-admin",
        "/actuator/env",
        "/phpmyadmin",
    };
}

}  // namespace tagout::detect
