package io.trimtab.apiserver.flowcontrol;

import io.trimtab.apiserver.auth.UserInfo;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rules most schemas out by who asks: every user and group that some schema names is a bit, and so is what a schema waits for.
 * A dozen schemas then cost a handful of look-ups. Immutable.
 */
final class SubjectIndex {
    private static final String ACCOUNT = "system:serviceaccount:";
    private static final long EVERYBODY = 1;
    private static final long ACCOUNTS = 2;
    /** Stands for all names beyond those that have a bit of their own: whoever waits for it must look closer. */
    private static final long OTHERS = 4;

    private static final int FIRST_OWN_BIT = 3;

    private final Map<String, Long> users = new HashMap<>();
    private final Map<String, Long> groups = new HashMap<>();
    private final long[] masks;

    /** Hears whom a schema is about. */
    interface Collector {
        void user(String name);

        void group(String name);

        void accounts();

        void everybody();
    }

    SubjectIndex(List<FlowSchema> schemas) {
        masks = new long[schemas.size()];
        for (int i = 0; i < masks.length; i++) {
            int at = i;
            schemas.get(i).subjects(new Collector() {
                @Override
                public void user(String name) {
                    masks[at] |= bit(users, name);
                }

                @Override
                public void group(String name) {
                    masks[at] |= bit(groups, name);
                }

                @Override
                public void accounts() {
                    masks[at] |= ACCOUNTS;
                }

                @Override
                public void everybody() {
                    masks[at] |= EVERYBODY;
                }
            });
        }
    }

    private long bit(Map<String, Long> names, String name) {
        Long known = names.get(name);
        if (known != null) {
            return known;
        }
        int next = FIRST_OWN_BIT + users.size() + groups.size();
        long bit = next < Long.SIZE ? 1L << next : OTHERS;
        names.put(name, bit);
        return bit;
    }

    /** What this user is, to be held against each schema. */
    long maskOf(UserInfo user) {
        long mask = EVERYBODY;
        Long bit = users.get(user.name());
        if (bit != null) {
            mask |= bit;
        }
        if (user.name().startsWith(ACCOUNT)) {
            mask |= ACCOUNTS;
        }
        List<String> own = user.groups();
        for (int i = 0; i < own.size(); i++) {
            Long group = groups.get(own.get(i));
            if (group != null) {
                mask |= group;
            }
        }
        return mask;
    }

    /** False if the schema is about others for sure. */
    boolean mayMatch(int schema, long user) {
        return (masks[schema] & user) != 0;
    }
}
