package io.trimtab.apiserver.flowcontrol;

import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.discovery.Documents;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Serves {@code /debug/api_priority_and_fairness/}: levels, queues and requests as tables. Safe for use by any thread. */
public final class Dumps implements PathHandler {
    private static final String PREFIX = "/debug/api_priority_and_fairness/";

    private final FlowControl control;

    public Dumps(FlowControl control) {
        this.control = control;
    }

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        if (!request.path().startsWith(PREFIX)) {
            return Optional.empty();
        }
        return switch (request.path().substring(PREFIX.length())) {
            case "dump_priority_levels" -> Optional.of(Documents.plain(levels()));
            case "dump_queues" -> Optional.of(Documents.plain(queues()));
            case "dump_requests" -> {
                String details = request.queryParameter("includeRequestDetails");
                yield Optional.of(Documents.plain(requests(details != null && !details.isEmpty())));
            }
            default -> Optional.empty();
        };
    }

    private String levels() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "PriorityLevelName",
                "ActiveQueues",
                "IsIdle",
                "IsQuiescing",
                "WaitingRequests",
                "ExecutingRequests",
                "DispatchedRequests",
                "RejectedRequests",
                "TimedoutRequests",
                "CancelledRequests"));
        for (PriorityLevel level : control.levels()) {
            QueueSet set = level.queues;
            rows.add(set.look(() -> List.of(
                    level.name,
                    Long.toString(set.lockedQueues().stream()
                            .filter(q -> !q.waiting.isEmpty())
                            .count()),
                    Boolean.toString(set.waiting == 0 && set.executing == 0),
                    Boolean.toString(level.quiescing),
                    Integer.toString(set.waiting),
                    Integer.toString(set.executing),
                    Long.toString(set.dispatched),
                    Long.toString(set.rejected),
                    Long.toString(set.timedOut),
                    Long.toString(set.cancelled))));
        }
        return table(rows);
    }

    private String queues() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "PriorityLevelName",
                "Index",
                "PendingRequests",
                "ExecutingRequests",
                "SeatsInUse",
                "NextDispatchR",
                "InitialSeatsSum",
                "MaxSeatsSum",
                "TotalWorkSum"));
        for (PriorityLevel level : control.levels()) {
            QueueSet set = level.queues;
            rows.addAll(set.look(() -> {
                List<List<String>> own = new ArrayList<>();
                int index = 0;
                for (Queue queue : set.lockedQueues()) {
                    own.add(List.of(
                            level.name,
                            Integer.toString(index++),
                            Integer.toString(queue.waiting.size()),
                            Integer.toString(queue.executing),
                            Integer.toString(queue.seatsInUse),
                            seatSeconds(queue.nextDispatch),
                            Integer.toString(queue.initialSeatsWaiting),
                            Integer.toString(queue.seatsWaiting),
                            seatSeconds(queue.workWaiting)));
                }
                return own;
            }));
        }
        return table(rows);
    }

    private String requests(boolean details) {
        List<List<String>> rows = new ArrayList<>();
        List<String> head = new ArrayList<>(List.of(
                "PriorityLevelName",
                "FlowSchemaName",
                "QueueIndex",
                "RequestIndexInQueue",
                "FlowDistingsher",
                "ArriveTime",
                "InitialSeats",
                "FinalSeats",
                "AdditionalLatency",
                "StartTime"));
        if (details) {
            head.addAll(List.of(
                    "UserName", "Verb", "APIPath", "Namespace", "Name", "APIVersion", "Resource", "SubResource"));
        }
        rows.add(head);
        for (PriorityLevel level : control.levels()) {
            QueueSet set = level.queues;
            rows.addAll(set.look(() -> {
                List<List<String>> own = new ArrayList<>();
                int index = 0;
                for (Queue queue : set.lockedQueues()) {
                    int place = 0;
                    for (Ticket ticket : queue.waiting) {
                        own.add(row(level, ticket, index, place++, details));
                    }
                    index++;
                }
                for (Ticket ticket : set.lockedServed()) {
                    own.add(row(level, ticket, set.lockedQueues().indexOf(ticket.queue), -1, details));
                }
                return own;
            }));
        }
        return table(rows);
    }

    private List<String> row(PriorityLevel level, Ticket ticket, int queue, int place, boolean details) {
        List<String> row = new ArrayList<>(List.of(
                level.name,
                ticket.schema(),
                Integer.toString(queue),
                Integer.toString(place),
                ticket.distinguisher,
                time(ticket.arrived),
                Integer.toString(ticket.work.initialSeats()),
                Integer.toString(ticket.work.finalSeats()),
                duration(ticket.work.additionalNanos()),
                ticket.isWaiting() ? "0001-01-01T00:00:00Z" : time(ticket.started)));
        if (details) {
            row.addAll(List.of(
                    ticket.user.name(),
                    ticket.info.verb(),
                    ticket.info.path(),
                    ticket.info.namespace(),
                    ticket.info.name(),
                    ticket.info.apiVersion(),
                    ticket.info.resource(),
                    ticket.info.subresource()));
        }
        return row;
    }

    private String time(long nanoTime) {
        Instant now = control.driver().now();
        return now.minus(Duration.ofNanos(control.driver().nanoTime() - nanoTime))
                .toString();
    }

    /** As Go writes the few durations there are. */
    private static String duration(long nanos) {
        return nanos == 0
                ? "0s"
                : java.math.BigDecimal.valueOf(nanos, 6).stripTrailingZeros().toPlainString() + "ms";
    }

    private static String seatSeconds(double value) {
        return String.format(java.util.Locale.ROOT, "%.8fss", value);
    }

    /** Columns of at least eight characters, padded by one space, separated by commas. */
    private static String table(List<List<String>> rows) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns - 1; i++) {
                widths[i] = Math.max(widths[i], Math.max(8, row.get(i).length() + 2));
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                text.append(row.get(i));
                if (i < columns - 1) {
                    text.append(',');
                    text.append(" ".repeat(widths[i] - row.get(i).length() - 1));
                }
            }
            text.append('\n');
        }
        return text.toString();
    }
}
