package io.trimtab.standalone;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.rest.NodeProxy;
import io.trimtab.apiserver.streaming.PortForward;
import io.trimtab.apiserver.streaming.RemoteCommand;
import io.trimtab.client.KubernetesJson;
import io.trimtab.node.network.Fabric;
import io.trimtab.node.network.Origin;
import io.trimtab.node.network.Outlet;
import io.trimtab.node.network.Protocol;
import io.trimtab.node.network.Session;
import io.trimtab.node.network.Verdict;
import io.trimtab.node.simulated.Console;
import io.trimtab.node.simulated.SimulatedRuntime;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Answers for the simulated nodes of this process what a kubelet's own port answers: logs, commands, attached terminals,
 * forwarded ports, and what a pod's server says. Thread-safe.
 */
final class SimulatedNodes implements NodeProxy {
    private final Driver driver;
    private volatile @Nullable SimulatedRuntime runtime;

    SimulatedNodes(Driver driver) {
        this.driver = driver;
    }

    /** To be called once there are nodes. */
    void serve(SimulatedRuntime simulated) {
        this.runtime = simulated;
    }

    @Override
    public Optional<ApiResponse> connect(Target target, ApiRequest request, UserInfo user) {
        SimulatedRuntime simulated = runtime;
        if (simulated == null) {
            return Optional.empty();
        }
        return switch (target.subresource()) {
            case "log" ->
                isHere(simulated, target)
                        ? Optional.of(SimulatedLogs.answer(simulated, driver, target, request))
                        : Optional.empty();
            case "proxy" -> new SimulatedProxy(simulated).answer(target, request);
            case "exec" -> isHere(simulated, target) ? Optional.of(exec(simulated, target, request)) : Optional.empty();
            case "attach" ->
                isHere(simulated, target) ? Optional.of(attach(simulated, target, request)) : Optional.empty();
            case "portforward" ->
                isHere(simulated, target) ? Optional.of(forward(simulated, target, request)) : Optional.empty();
            default -> Optional.empty();
        };
    }

    /** Whether the pod's node is one of this process. */
    private static boolean isHere(SimulatedRuntime simulated, Target target) {
        return simulated.isHere(pod(target.object()));
    }

    static Pod pod(JsonNode tree) {
        try {
            return KubernetesJson.mapper().treeToValue(tree, Pod.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored pod cannot be read", e);
        }
    }

    static boolean isWebSocket(ApiRequest request) {
        return request.headers().getOrDefault("upgrade", List.of()).stream().anyMatch("websocket"::equalsIgnoreCase);
    }

    private static void requireUpgrade(ApiRequest request) {
        boolean upgrades = request.headers().getOrDefault("upgrade", List.of()).stream()
                .anyMatch(u -> u.equalsIgnoreCase("websocket") || u.equalsIgnoreCase("SPDY/3.1"));
        if (!upgrades) {
            throw Statuses.badRequest("Upgrade request required");
        }
    }

    private static boolean flag(ApiRequest request, String name) {
        return List.of("true", "1").contains(String.valueOf(request.queryParameter(name)));
    }

    private static byte[] bytes(String latin) {
        return latin.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String latin(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    // ---- commands

    private ApiResponse exec(SimulatedRuntime simulated, Target target, ApiRequest request) {
        requireUpgrade(request);
        Pod pod = pod(target.object());
        List<String> command = request.query().getOrDefault("command", List.of());
        boolean tty = flag(request, "tty");
        boolean stdin = flag(request, "stdin");
        return new ApiResponse.Command(
                101,
                Map.of(),
                new RemoteCommand(
                        stdin,
                        flag(request, "stdout"),
                        flag(request, "stderr"),
                        tty,
                        output -> begin(
                                output,
                                target,
                                console -> simulated.run(pod, target.container(), command, stdin, tty, console))));
    }

    private ApiResponse attach(SimulatedRuntime simulated, Target target, ApiRequest request) {
        requireUpgrade(request);
        Pod pod = pod(target.object());
        boolean tty = pod.getSpec().getContainers().stream()
                .filter(c -> c.getName().equals(target.container()))
                .map(Container::getTty)
                .anyMatch(Boolean.TRUE::equals);
        return new ApiResponse.Command(
                101,
                Map.of(),
                new RemoteCommand(
                        flag(request, "stdin"),
                        flag(request, "stdout"),
                        flag(request, "stderr"),
                        tty,
                        output ->
                                begin(output, target, console -> simulated.attach(pod, target.container(), console))));
    }

    /** Begins what a console is for. */
    private interface Beginning {
        Optional<Console.Keys> begin(Console console);
    }

    private static RemoteCommand.Input begin(RemoteCommand.Output output, Target target, Beginning beginning) {
        Console.Keys keys = beginning
                .begin(new Console() {
                    @Override
                    public void output(String text) {
                        output.stdout(bytes(text));
                    }

                    @Override
                    public void error(String text) {
                        output.stderr(bytes(text));
                    }

                    @Override
                    public void ended(int code) {
                        output.end(bytes(status(code)));
                    }
                })
                .orElse(null);
        if (keys == null) {
            output.end(bytes(notRunning(target.container())));
        }
        return new RemoteCommand.Input() {
            @Override
            public void stdin(byte[] bytes) {
                if (keys != null) {
                    keys.type(latin(bytes));
                }
            }

            @Override
            public void endStdin() {
                if (keys != null) {
                    keys.endInput();
                }
            }

            @Override
            public void gone() {
                if (keys != null) {
                    keys.leave();
                }
            }
        };
    }

    private static String status(int code) {
        return code == 0
                ? "{\"metadata\":{},\"status\":\"Success\"}"
                : "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"command terminated with non-zero exit code: exit"
                        + " status " + code + "\",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":"
                        + "\"ExitCode\",\"message\":\"" + code + "\"}]}}";
    }

    private static String notRunning(String container) {
        return "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"container not found (\\\"" + container
                + "\\\")\",\"reason\":\"InternalError\",\"code\":500}";
    }

    // ---- ports

    private ApiResponse forward(SimulatedRuntime simulated, Target target, ApiRequest request) {
        requireUpgrade(request);
        List<Integer> ports = new ArrayList<>();
        for (String list : request.query().getOrDefault("ports", List.of())) {
            for (String port : list.split(",")) {
                try {
                    ports.add(Integer.parseInt(port.strip()));
                } catch (NumberFormatException e) {
                    throw Statuses.badRequest("unable to parse \"" + port + "\" as a port");
                }
            }
        }
        Pod pod = pod(target.object());
        return new ApiResponse.Forward(
                101, Map.of(), new PortForward(ports, (port, output) -> open(simulated, pod, port, output)));
    }

    private PortForward.Input open(SimulatedRuntime simulated, Pod pod, int port, PortForward.Output output) {
        Fabric fabric = simulated.fabric().orElse(null);
        Verdict verdict = fabric == null
                ? new Verdict.Unreachable("there is no network")
                : fabric.dial(new Origin.InPod(pod), "127.0.0.1", port, Protocol.TCP);
        if (!(verdict instanceof Verdict.Reached reached)) {
            output.error("an error occurred forwarding " + port + " -> " + port
                    + ": error forwarding port " + port + " to pod "
                    + Objects.requireNonNullElse(pod.getMetadata().getUid(), "")
                    + ", uid : failed to execute portforward"
                    + " in network namespace: failed to connect to localhost:" + port + " inside namespace: dial tcp4"
                    + " 127.0.0.1:" + port + ": connect: connection refused (" + verdict.why() + ")");
            return new PortForward.Input() {
                @Override
                public void data(byte[] bytes) {}

                @Override
                public void end() {}
            };
        }
        Session session = reached.listener().accept(reached.peer(), new Sending(output));
        return new PortForward.Input() {
            @Override
            public void data(byte[] bytes) {
                session.receive(latin(bytes));
            }

            @Override
            public void end() {
                session.end();
            }
        };
    }

    /** Hands on what a server sends when its time has come, and in its order: timers of one moment may run in any. */
    private final class Sending implements Outlet {
        private final PortForward.Output output;
        private final Driver.Lane lane = driver.lane("forwarded port");
        private final Queue<Runnable> pending = new ConcurrentLinkedQueue<>();

        Sending(PortForward.Output output) {
            this.output = output;
        }

        private void at(Duration after, Runnable action) {
            pending.add(action);
            Runnable next = () -> {
                Runnable first = pending.poll();
                if (first != null) {
                    first.run();
                }
            };
            if (after.isZero()) {
                lane.execute(next);
            } else {
                driver.schedule(after, () -> lane.execute(next));
            }
        }

        @Override
        public void send(Duration after, String text) {
            at(after, () -> output.data(bytes(text)));
        }

        @Override
        public void close(Duration after) {
            at(after, output::end);
        }
    }
}
