# The service alone: ClickHouse is a server of its own (see docker-compose.yml), so that the embedded engine is not needed.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /orgstats ./cmd/orgstats

FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=build /orgstats /orgstats
ENTRYPOINT ["/orgstats"]
CMD ["serve"]
