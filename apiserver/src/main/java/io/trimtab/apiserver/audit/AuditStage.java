package io.trimtab.apiserver.audit;

/** When in the life of a request an event is made. */
public enum AuditStage {
    REQUEST_RECEIVED("RequestReceived"),
    RESPONSE_STARTED("ResponseStarted"),
    RESPONSE_COMPLETE("ResponseComplete"),
    PANIC("Panic");

    private final String text;

    AuditStage(String text) {
        this.text = text;
    }

    /** As policies and events write it. */
    public String text() {
        return text;
    }
}
