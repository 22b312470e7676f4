package io.trimtab.apiserver.http;

import io.trimtab.apiserver.streaming.PortForward;
import io.trimtab.apiserver.streaming.RemoteCommand;
import io.trimtab.runtime.Driver;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;

/**
 * Streams over a WebSocket, whose messages begin with the number of their channel. The client's messages are handled on a lane,
 * one after another; writing is for any thread.
 */
final class ChannelSocket {
    private static final int STDIN = 0;
    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int ERROR = 3;
    private static final int CLOSE = 255;

    private final Exchange exchange;
    private final Driver.Lane lane;
    private final ServerWebSocket socket;
    private final String protocol;
    private final boolean base64;
    private Runnable whenGone = () -> {};
    private RemoteCommand.Input input = Upgrade.nobody();

    ChannelSocket(Exchange exchange, Driver.Lane lane, ServerWebSocket socket, String protocol) {
        this.exchange = exchange;
        this.lane = lane;
        this.socket = socket;
        this.protocol = protocol;
        this.base64 = protocol.contains("base64");
    }

    /** On the event loop. */
    void gone() {
        lane.execute(() -> whenGone.run());
    }

    private void send(int channel, byte[] bytes) {
        Buffer message;
        if (base64) {
            message = Buffer.buffer(channel + Base64.getEncoder().encodeToString(bytes));
        } else {
            message = Buffer.buffer(bytes.length + 1).appendByte((byte) channel).appendBytes(bytes);
        }
        exchange.onLoop(() -> {
            if (exchange.isGone()) {
                return;
            }
            if (base64) {
                socket.writeTextMessage(message.toString());
            } else {
                socket.writeBinaryMessage(message);
            }
        });
    }

    private void close() {
        exchange.onLoop(() -> {
            if (!exchange.isGone()) {
                socket.close();
            }
        });
    }

    /** Hands on each message, its channel first. */
    private void receive(Consumer<byte[]> handler) {
        if (base64) {
            socket.textMessageHandler(text -> {
                if (!text.isEmpty()) {
                    byte[] content = Base64.getDecoder().decode(text.substring(1));
                    byte[] message = new byte[content.length + 1];
                    message[0] = (byte) (text.charAt(0) - '0');
                    System.arraycopy(content, 0, message, 1, content.length);
                    lane.execute(() -> handler.accept(message));
                }
            });
        } else {
            socket.binaryMessageHandler(buffer -> {
                byte[] message = buffer.getBytes();
                if (message.length > 0) {
                    lane.execute(() -> handler.accept(message));
                }
            });
            socket.textMessageHandler(text -> {
                byte[] message = text.getBytes(StandardCharsets.UTF_8);
                if (message.length > 0) {
                    lane.execute(() -> handler.accept(message));
                }
            });
        }
    }

    // ---- commands

    void command(RemoteCommand command) {
        boolean versioned = protocol.contains("v4") || protocol.contains("v5");
        lane.execute(() -> {
            if (!versioned) {
                // Clients of the first versions wait for an empty message on each channel before they believe in it.
                send(STDOUT, new byte[0]);
                if (command.stderr()) {
                    send(STDERR, new byte[0]);
                }
                send(ERROR, new byte[0]);
            }
            input = command.start().apply(new RemoteCommand.Output() {
                @Override
                public void stdout(byte[] bytes) {
                    if (command.stdout()) {
                        send(STDOUT, bytes);
                    }
                }

                @Override
                public void stderr(byte[] bytes) {
                    if (command.stderr()) {
                        send(STDERR, bytes);
                    }
                }

                @Override
                public void end(byte[] status) {
                    if (versioned || !new String(status, StandardCharsets.UTF_8).contains("\"Success\"")) {
                        send(ERROR, status);
                    }
                    close();
                }
            });
            whenGone = input::gone;
        });
        // At once: what comes while nobody listens is lost. It waits on the lane until the command has begun.
        receive(message -> {
            int channel = message[0] & 0xff;
            if (channel == STDIN && message.length > 1) {
                input.stdin(Arrays.copyOfRange(message, 1, message.length));
            } else if (channel == CLOSE && message.length == 2 && message[1] == STDIN) {
                input.endStdin();
            }
        });
    }

    // ---- ports

    /** Two channels a port: its data, and what went wrong; each begins with the port's number. */
    void forward(PortForward ports) {
        List<PortForward.Input> inputs = new ArrayList<>();
        lane.execute(() -> {
            for (int i = 0; i < ports.ports().size(); i++) {
                int data = 2 * i;
                int port = ports.ports().get(i);
                byte[] number = {(byte) port, (byte) (port >> 8)};
                send(data, number);
                send(data + 1, number);
                inputs.add(ports.connector().open(port, new PortForward.Output() {
                    @Override
                    public void data(byte[] bytes) {
                        send(data, bytes);
                    }

                    @Override
                    public void end() {
                        close();
                    }

                    @Override
                    public void error(String message) {
                        send(data + 1, message.getBytes(StandardCharsets.UTF_8));
                    }
                }));
            }
            whenGone = () -> inputs.forEach(PortForward.Input::end);
        });
        receive(message -> {
            int channel = message[0] & 0xff;
            if (channel % 2 == 0 && channel / 2 < inputs.size() && message.length > 1) {
                inputs.get(channel / 2).data(Arrays.copyOfRange(message, 1, message.length));
            }
        });
    }
}
