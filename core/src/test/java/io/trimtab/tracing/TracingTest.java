package io.trimtab.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.trimtab.client.Client;
import io.trimtab.client.FakeApi;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.Result;
import io.trimtab.runtime.VirtualDriver;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;

class TracingTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);

    private final List<SpanData> spans = new ArrayList<>();

    /** Keeps what it is given. */
    private final class Keeping implements SpanExporter {
        @Override
        public CompletableResultCode export(Collection<SpanData> all) {
            spans.addAll(all);
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }

    @Test
    void givenATracedManager_whenItReconciles_thenEachRequestIsAChildOfItsReconcile() {
        SdkTracerProvider provider = SdkTracerProvider.builder()
                .addSpanProcessor(SimpleSpanProcessor.create(new Keeping()))
                .build();
        OpenTelemetry telemetry = new OpenTelemetry() {
            @Override
            public TracerProvider getTracerProvider() {
                return provider;
            }

            @Override
            public ContextPropagators getPropagators() {
                return ContextPropagators.noop();
            }
        };
        Tracer users = telemetry.getTracer("user");
        VirtualDriver driver = VirtualDriver.create();
        FakeApi api = new FakeApi();
        api.put(new ConfigMapBuilder()
                .withNewMetadata()
                .withName("a")
                .withNamespace("shop")
                .endMetadata()
                .build());
        DefaultManager manager = Tracing.of(telemetry)
                .trace(DefaultManager.builder(driver, api.client(driver)))
                .build();
        Client client = manager.client("maps");
        manager.add(Controller.of("maps", ConfigMap.class).maxRetries(0).reconcile(request -> {
            if (spans.stream().anyMatch(span -> span.getName().equals("users own"))) {
                return Result.done(); // woken by what it has written itself
            }
            users.spanBuilder("users own").startSpan().end();
            client.patch(MAPS, "shop", "a", Patch.merge("{}"));
            client.patch(MAPS, "shop", "missing", Patch.merge("{}"));
            return Result.done();
        }));
        manager.start();
        driver.settle();
        manager.close();

        SpanData reconcile = spans.stream()
                .filter(span -> span.getName().equals("reconcile maps")
                        && "error".equals(span.getAttributes().get(Tracing.RESULT)))
                .findFirst()
                .orElseThrow();
        assertThat(reconcile.getAttributes().get(Tracing.NAMESPACE)).isEqualTo("shop");
        assertThat(reconcile.getAttributes().get(Tracing.RESULT)).isEqualTo("error");
        assertThat(spans.stream()
                        .filter(span -> span.getParentSpanId().equals(reconcile.getSpanId()))
                        .map(SpanData::getName))
                .containsExactly("users own", "patch configmaps", "patch configmaps");
        assertThat(spans.stream()
                        .filter(span -> span.getStatus().getStatusCode() == StatusCode.ERROR)
                        .map(SpanData::getName))
                .contains("patch configmaps", "reconcile maps");
    }
}
