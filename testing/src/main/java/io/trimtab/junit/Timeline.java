package io.trimtab.junit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Draws a history as one HTML file that needs nothing else: a column for each actor, time going down, causes as links. Pure. */
final class Timeline {
    private static final int MAX_ENTRIES = 3_000;

    private Timeline() {}

    /** @return where it was written */
    static Path write(History history, String title, String message, Path directory, String name) throws IOException {
        Files.createDirectories(directory);
        Path file = directory.resolve(name.replaceAll("[^A-Za-z0-9._-]+", "_") + ".html");
        Files.writeString(file, html(history, title, message), StandardCharsets.UTF_8);
        return file;
    }

    static String html(History history, String title, String message) {
        List<History.Entry> entries = history.entries();
        if (entries.size() > MAX_ENTRIES) {
            entries = entries.subList(entries.size() - MAX_ENTRIES, entries.size());
        }
        Map<String, Integer> columns = new LinkedHashMap<>();
        columns.put("test", 0);
        entries.forEach(entry -> columns.putIfAbsent(entry.actor(), columns.size()));
        StringBuilder page = new StringBuilder(HEAD.replace("TITLE", escape(title)));
        page.append("<h1>")
                .append(escape(title))
                .append("</h1>\n<pre id=why>")
                .append(escape(message))
                .append("</pre>\n");
        page.append(
                "<p><label><input type=checkbox id=reads> reads</label>"
                        + " <input id=find placeholder=\"filter, e.g. default/web\"> Click a line to see what led to it.</p>\n");
        page.append("<table><thead><tr><th>time</th>");
        columns.keySet()
                .forEach(actor -> page.append("<th>").append(escape(actor)).append("</th>"));
        page.append("</tr></thead><tbody>\n");
        for (History.Entry entry : entries) {
            row(page, history, entry, columns);
        }
        return page.append("</tbody></table>\n")
                .append(SCRIPT)
                .append("</body></html>\n")
                .toString();
    }

    private static void row(StringBuilder page, History history, History.Entry entry, Map<String, Integer> columns) {
        int column = columns.getOrDefault(entry.actor(), 0);
        page.append("<tr id=e").append(entry.number());
        page.append(" class=\"").append(String.join(" ", classes(entry))).append('"');
        if (entry.cause() > 0) {
            page.append(" data-cause=").append(entry.cause());
        }
        page.append("><td>+")
                .append(millis(Duration.between(history.began(), entry.at())))
                .append("</td>");
        for (int i = 0; i < columns.size(); i++) {
            page.append(
                    i == column ? "<td><b>#" + entry.number() + "</b> " + escape(entry.what()) + "</td>" : "<td></td>");
        }
        page.append("</tr>\n");
    }

    private static List<String> classes(History.Entry entry) {
        List<String> classes = new ArrayList<>();
        if (entry instanceof History.Call call) {
            classes.add(call.isWrite() ? "write" : "read");
            if (call.code() == 0 || call.code() >= 400) {
                classes.add("refused");
            }
        } else if (entry instanceof History.Told) {
            classes.add("told");
        } else if (entry instanceof History.Reconcile) {
            classes.add("reconcile");
        } else {
            classes.add(entry.actor().equals("fault") || entry.actor().equals("oracle") ? entry.actor() : "note");
        }
        return classes;
    }

    private static String millis(Duration time) {
        return String.format(java.util.Locale.ROOT, "%.3f s", time.toNanos() / 1e9);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static final String HEAD = """
            <!doctype html><html lang=en><head><meta charset=utf-8><title>TITLE</title><style>
            body{font:13px/1.45 system-ui,sans-serif;margin:1.5em;color:#1c2330;background:#fff}
            h1{font-size:1.2em}#why{white-space:pre-wrap;background:#fff1f0;border-left:4px solid #c62828;padding:.8em}
            table{border-collapse:collapse}th{position:sticky;top:0;background:#eef1f6;text-align:left}
            th,td{padding:.15em .6em;vertical-align:top;border-right:1px solid #e2e6ee;max-width:34em;overflow-wrap:anywhere}
            td:first-child{color:#6b7587;white-space:nowrap}tr{cursor:pointer}tr:hover{background:#f5f7fb}
            .write td b{color:#0b57d0}.told td b{color:#7a8699}.reconcile td b{color:#00796b}.refused td{color:#b3261e}
            .fault td{background:#fff4d6}.oracle td{background:#ffdad6;font-weight:600}.on{outline:2px solid #0b57d0}
            body:not(.reads) .read{display:none}.hidden{display:none}
            @media(prefers-color-scheme:dark){body{background:#14171c;color:#dde3ee}th{background:#232831}#why{background:#3a1d1b}
            th,td{border-color:#2c323d}tr:hover{background:#1d222a}.fault td{background:#3d3419}.oracle td{background:#5c1f1b}}
            </style></head><body>
            """;

    private static final String SCRIPT = """
            <script>
            const rows=[...document.querySelectorAll('tbody tr')];
            document.getElementById('reads').onchange=e=>document.body.classList.toggle('reads',e.target.checked);
            document.getElementById('find').oninput=e=>rows.forEach(r=>
              r.classList.toggle('hidden',!r.textContent.includes(e.target.value)));
            rows.forEach(r=>r.onclick=()=>{rows.forEach(x=>x.classList.remove('on'));
              for(let at=r;at;at=document.getElementById('e'+at.dataset.cause))at.classList.add('on');});
            </script>
            """;
}
