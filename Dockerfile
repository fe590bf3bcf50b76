# syntax=docker/dockerfile:1
# The service, and every other command, for a ClickHouse server (see docker-compose.yml). The embedded engine's library, 560 MB, is
# left out.
FROM node:20.20.2-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY web ./
RUN npm run --silent build

FROM golang:1.26.10-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
COPY --from=web /src/service/dashboard/bundle service/dashboard/bundle
# What `orgstats version` shows: the repository itself is not part of the build's context.
ARG VERSION= COMMIT=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -o /image/orgstats -ldflags "-s -w \
      -X github.com/orgstats/orgstats/cmd/orgstats/cli.version=$VERSION \
      -X github.com/orgstats/orgstats/cmd/orgstats/cli.commit=$COMMIT" ./cmd/orgstats
# What the image holds beside the program: the system's loader and C library, because the program can open a library though it is
# built without cgo; the certificates of HTTPS servers; and a directory of its user's.
RUN set -eu; \
    ldd /image/orgstats | grep -o '/[^ ]*' | xargs cp --dereference --parents --target-directory=/image; \
    cp --parents /etc/ssl/certs/ca-certificates.crt /image; \
    mkdir -p /image/etc /image/tmp /state; \
    echo 'orgstats:x:65532:65532::/var/lib/orgstats:/' > /image/etc/passwd; \
    echo 'orgstats:x:65532:' > /image/etc/group; \
    chmod 1777 /image/tmp

FROM scratch
COPY --from=build /image /
COPY --from=build --chown=65532:65532 /state /var/lib/orgstats
# Numbers, so that Kubernetes can tell that it is not root.
USER 65532:65532
# Everything else may be read-only: commands write here only, such as a load's rejects.
WORKDIR /var/lib/orgstats
VOLUME /var/lib/orgstats
ENV ORGSTATS_DATA_DIR=/var/lib/orgstats ORGSTATS_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --start-interval=1s CMD ["/orgstats", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/orgstats"]
CMD ["serve"]
