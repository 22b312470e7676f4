package io.trimtab.apiserver.audit;

/** How much of a request is kept; each level holds all of those before it. */
public enum AuditLevel {
    NONE("None"),
    METADATA("Metadata"),
    REQUEST("Request"),
    REQUEST_RESPONSE("RequestResponse");

    private final String text;

    AuditLevel(String text) {
        this.text = text;
    }

    /** As policies and events write it. */
    public String text() {
        return text;
    }

    boolean includes(AuditLevel other) {
        return compareTo(other) >= 0;
    }
}
