package io.trimtab.apiserver.table;

/**
 * The head of a column. Immutable.
 *
 * @param type {@code string, integer, number, boolean, date}
 * @param format {@code name} for the column that identifies the row; otherwise mostly empty
 * @param priority 0 for columns that are always shown, more for those of {@code -o wide}
 */
public record Column(String name, String type, String format, String description, int priority) {}
