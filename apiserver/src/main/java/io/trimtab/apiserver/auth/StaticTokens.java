package io.trimtab.apiserver.auth;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tokens from a file that is read once, at start: lines of {@code token,user,uid} and, if need be, {@code "group1,group2"}.
 * Immutable.
 */
public final class StaticTokens implements TokenAuthenticator {
    private final Map<String, UserInfo> users;
    private final List<String> audiences;

    private StaticTokens(Map<String, UserInfo> users, List<String> audiences) {
        this.users = Map.copyOf(users);
        this.audiences = List.copyOf(audiences);
    }

    /**
     * Reads the lines of a token file.
     *
     * @param file how messages name the file
     * @param audiences for whom its tokens are meant: this server
     * @throws IllegalArgumentException with one line that says what is wrong and where
     */
    public static StaticTokens parse(String file, String text, List<String> audiences) {
        Map<String, UserInfo> users = new LinkedHashMap<>();
        int number = 0;
        for (String line : text.split("\r?\n", -1)) {
            number++;
            if (line.isEmpty()) {
                continue;
            }
            List<String> columns = columns(file, number, line);
            if (columns.size() < 3) {
                throw new IllegalArgumentException("token file '" + file
                        + "' must have at least 3 columns (token, user name, user uid), found " + columns.size()
                        + " in line " + number);
            }
            if (columns.get(0).isEmpty()) {
                continue; // an empty token must let nobody in
            }
            List<String> groups = columns.size() >= 4 ? List.of(columns.get(3).split(",", -1)) : List.of();
            users.put(columns.get(0), new UserInfo(columns.get(1), columns.get(2), groups, Map.of()));
        }
        return new StaticTokens(users, audiences);
    }

    /** Tokens that the caller knows already, such as one made for the administrator. */
    public static StaticTokens of(Map<String, UserInfo> users, List<String> audiences) {
        return new StaticTokens(users, audiences);
    }

    @Override
    public Optional<Authenticated> authenticate(String token, List<String> forAudiences) {
        UserInfo user = users.get(token);
        return user == null ? Optional.empty() : Audiences.within(user, audiences, forAudiences);
    }

    private static List<String> columns(String file, int number, String line) {
        List<String> columns = new ArrayList<>();
        int at = 0;
        while (true) {
            StringBuilder column = new StringBuilder();
            if (at < line.length() && line.charAt(at) == '"') {
                at++;
                while (true) {
                    if (at >= line.length()) {
                        throw new IllegalArgumentException(
                                "token file '" + file + "' has a quote that does not end in line " + number);
                    }
                    char c = line.charAt(at++);
                    if (c != '"') {
                        column.append(c);
                    } else if (at < line.length() && line.charAt(at) == '"') {
                        column.append('"');
                        at++;
                    } else {
                        break;
                    }
                }
                if (at < line.length() && line.charAt(at) != ',') {
                    throw new IllegalArgumentException(
                            "token file '" + file + "' has text after a closing quote in line " + number);
                }
            } else {
                while (at < line.length() && line.charAt(at) != ',') {
                    if (line.charAt(at) == '"') {
                        throw new IllegalArgumentException(
                                "token file '" + file + "' has a quote inside a plain column in line " + number);
                    }
                    column.append(line.charAt(at++));
                }
            }
            columns.add(column.toString());
            if (at >= line.length()) {
                return columns;
            }
            at++; // the comma
        }
    }
}
