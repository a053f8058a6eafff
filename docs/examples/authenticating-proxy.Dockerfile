# HAProxy as Debian keeps it (2.6, with security updates), for authenticating-proxy.yaml.
ARG BASE_IMAGE=debian:bookworm-slim
FROM ${BASE_IMAGE}
RUN apt-get update && apt-get install --yes --no-install-recommends haproxy && rm -rf /var/lib/apt/lists/*
USER 10001:10001
CMD ["haproxy", "-db", "-f", "/etc/proxy/haproxy.cfg", "-f", "/etc/people/users.cfg"]
