/**
 * Admission webhooks: which of them a write concerns, what they are asked, and what becomes of their answers. Uses the callout
 * package to reach them, the storage for their configurations, and the resource table to show them objects at the version they
 * want. Runs on the threads of requests; validating webhooks of one write are waited for together.
 */
@NullMarked
package io.trimtab.apiserver.admission.webhook;

import org.jspecify.annotations.NullMarked;
