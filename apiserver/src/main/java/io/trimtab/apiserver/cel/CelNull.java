package io.trimtab.apiserver.cel;

/** The value null. */
public enum CelNull {
    NULL
}
