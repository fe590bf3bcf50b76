package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// lastSpansTime is how long sending the last spans may delay the program's end.
const lastSpansTime = 5 * time.Second

// tracesWanted reports whether OpenTelemetry's own variables ask for traces. Its default exporter would send them to a
// collector on this machine whether or not they do.
func tracesWanted() bool {
	if os.Getenv("OTEL_SDK_DISABLED") == "true" {
		return false
	}
	exporter := os.Getenv("OTEL_TRACES_EXPORTER")
	endpoint := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") + os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	return exporter != "none" && (exporter != "" || endpoint != "")
}

// startTraces returns a tracer that is configured by OpenTelemetry's standard variables: OTEL_EXPORTER_OTLP_ENDPOINT,
// OTEL_TRACES_EXPORTER, OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME and so on. Stop sends the remaining spans.
func startTraces(ctx context.Context, log *slog.Logger) (tracer trace.Tracer, stop func(), err error) {
	if !tracesWanted() {
		return noop.NewTracerProvider().Tracer(""), func() {}, nil
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("traces can't be exported as OTEL_TRACES_EXPORTER=%q and its kin say: %w", os.Getenv("OTEL_TRACES_EXPORTER"), err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "orgstats"), attribute.String("service.version", readBuild().Version)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv())
	if err != nil {
		return nil, nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces are lost", "error", err) }))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	log.Info("traces are exported")
	stop = func() {
		ctx, cancel := context.WithTimeout(context.Background(), lastSpansTime)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("the last traces are lost", "error", err)
		}
	}
	return provider.Tracer("github.com/orgstats/orgstats"), stop, nil
}
