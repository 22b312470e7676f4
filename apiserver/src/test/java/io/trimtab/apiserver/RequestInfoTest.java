package io.trimtab.apiserver;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.apiserver.auth.UserInfo;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestInfoTest {

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            delimiter = ' ',
            value = {
                "GET /api/v1/pods list :v1::pods::",
                "GET /api/v1/namespaces/a/pods list :v1:a:pods::",
                "POST /api/v1/namespaces/a/pods create :v1:a:pods::",
                "GET /api/v1/namespaces/a/pods/p get :v1:a:pods::p",
                "HEAD /api/v1/namespaces/a/pods/p get :v1:a:pods::p",
                "PUT /api/v1/namespaces/a/pods/p/status update :v1:a:pods:status:p",
                "PATCH /api/v1/namespaces/a/pods/p patch :v1:a:pods::p",
                "DELETE /api/v1/namespaces/a/pods/p delete :v1:a:pods::p",
                "DELETE /api/v1/namespaces/a/pods deletecollection :v1:a:pods::",
                "GET /api/v1/namespaces list :v1::namespaces::",
                "GET /api/v1/namespaces/a get :v1:a:namespaces::a",
                "PUT /api/v1/namespaces/a/finalize update :v1:a:namespaces:finalize:a",
                "GET /api/v1/namespaces/a/status get :v1:a:namespaces:status:a",
                "GET /apis/apps/v1/deployments list apps:v1::deployments::",
                "GET /apis/apps/v1/namespaces/a/deployments/d/scale get apps:v1:a:deployments:scale:d",
                "GET /api/v1/watch/namespaces/a/pods watch :v1:a:pods::",
                "GET /api/v1/watch/namespaces/a/pods/p watch :v1:a:pods::p",
                "GET /api/v1/nodes/n/proxy/metrics get :v1::nodes:proxy:n",
                "OPTIONS /api/v1/pods - :v1::pods::"
            })
    void givenPath_whenRead_thenPartsAreFound(String method, String path, String verb, String rest) {
        RequestInfo info = RequestInfo.of(request(method, path, Map.of()));

        assertThat(info.resourceRequest()).isTrue();
        assertThat(info.verb()).isEqualTo(verb == null ? "" : verb);
        assertThat(String.join(
                        ":",
                        info.group(),
                        info.version(),
                        info.namespace(),
                        info.resource(),
                        info.subresource(),
                        info.name()))
                .isEqualTo(rest);
    }

    @ParameterizedTest
    @CsvSource({"/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/version", "/", "/healthz/ping"})
    void givenPathThatIsNoResource_whenRead_thenOnlyPathCounts(String path) {
        RequestInfo info = RequestInfo.of(request("GET", path, Map.of()));

        assertThat(info.resourceRequest()).isFalse();
        assertThat(info.verb()).isEqualTo("get");
    }

    @ParameterizedTest
    @CsvSource({"true,watch", "1,watch", "false,list", "0,list", "yes,watch"})
    void givenWatchParameter_whenRead_thenVerbFollows(String value, String verb) {
        assertThat(RequestInfo.of(request("GET", "/api/v1/pods", Map.of("watch", value)))
                        .verb())
                .isEqualTo(verb);
    }

    @ParameterizedTest
    @CsvSource({"metadata.name=p,p", "metadata.name==p,p", "metadata.name!=p,''", "spec.nodeName=p,''"})
    void givenFieldSelector_whenRead_thenNameIsFilledIn(String selector, String name) {
        assertThat(RequestInfo.of(request("GET", "/api/v1/pods", Map.of("fieldSelector", selector)))
                        .name())
                .isEqualTo(name);
    }

    private static ApiRequest request(String method, String path, Map<String, String> query) {
        return ApiRequest.local(UserInfo.SELF, method, path, query, null, new byte[0]);
    }
}
