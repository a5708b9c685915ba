# The broker, and a development chain to try it on.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM node:20-bookworm-slim AS chain
RUN npm install --global --no-audit --no-fund @foundry-rs/anvil@1.7.1
EXPOSE 8545
ENTRYPOINT ["anvil", "--host", "0.0.0.0", "--port", "8545"]

FROM debian:bookworm-slim AS broker
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/clearnet --create-home clearnet
COPY --from=build /src/target/release/clearnet /usr/local/bin/clearnet
COPY docker/config.toml docker/dev.key /etc/clearnet/
RUN chown -R clearnet /etc/clearnet && chmod 600 /etc/clearnet/dev.key
USER clearnet
WORKDIR /var/lib/clearnet
EXPOSE 8000
ENTRYPOINT ["clearnet"]
CMD ["serve", "--config", "/etc/clearnet/config.toml", "--listen", "0.0.0.0:8000"]
