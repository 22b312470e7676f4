package io.trimtab.apiserver.cel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each function, with the examples that Kubernetes and cel-go document. */
class LibrariesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "'hello'.charAt(4) == 'o' && 'hello'.charAt(5) == ''",
                "'hello mellow'.indexOf('') == 0 && 'hello mellow'.indexOf('ello') == 1 && 'hello mellow'.indexOf('jello') == -1",
                "'hello mellow'.indexOf('', 2) == 2 && 'hello mellow'.indexOf('ello', 2) == 7 && 'hello mellow'.indexOf('ello', 20) == -1",
                "'hello mellow'.lastIndexOf('') == 12 && 'hello mellow'.lastIndexOf('ello') == 7 && 'hello mellow'.lastIndexOf('ello', 6) == 1",
                "'TacoCat'.lowerAscii() == 'tacocat' && 'TacoCÆt Xii'.upperAscii() == 'TACOCÆT XII'",
                "'hello hello'.replace('he', 'we') == 'wello wello' && 'hello hello'.replace('he', 'we', 1) == 'wello hello'",
                "'hello hello'.replace('he', 'we', 0) == 'hello hello' && 'hello'.replace('', '_') == '_h_e_l_l_o_'",
                "'hello hello hello'.split(' ') == ['hello', 'hello', 'hello'] && 'hello hello hello'.split(' ', 0) == []",
                "'hello hello hello'.split(' ', 2) == ['hello', 'hello hello'] && 'abc'.split('') == ['a', 'b', 'c']",
                "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco'",
                "'  \\ttrim\\n    '.trim() == 'trim'",
                "['hello', 'mellow'].join() == 'hellomellow' && ['hello', 'mellow'].join(' ') == 'hello mellow' && [].join() == ''",
                "strings.quote('single-quote with \"double quote\"') == '\"single-quote with \\\\\"double quote\\\\\"\"'",
                "'%s has %d of %.2f'.format(['a', 3, 1.5]) == 'a has 3 of 1.50' && '%x %X %o %b'.format([255, 255, 8, 5]) == 'ff FF 10 101'",
                "'%s'.format([['a', 1]]) == '[\"a\", 1]' && '%s'.format([{'b': 2}]) == '{\"b\":2}' && '100%%'.format([]) == '100%'",
                "'abc 123'.find('[0-9]*$') == '123' && 'abc'.find('[0-9]+') == ''",
                "'123 abc 456'.findAll('[0-9]+') == ['123', '456'] && '123 abc 456'.findAll('[0-9]+', 1) == ['123']",
                "[1, 2, 3].isSorted() && !['b', 'a'].isSorted() && [1, 3].sum() == 4 && [1.0].sum() == 1.0 && [].sum() == 0",
                "[1, 3].max() == 3 && ['b', 'a'].min() == 'a' && [1, 2, 2, 3].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2",
                "sets.contains([1, 2, 3], [2]) && sets.equivalent([1], [1, 1]) && sets.intersects([1], [1, 2]) && !sets.intersects([1], [])",
                "url('https://user:pass@example.com:80/path?k1=a&k2=b&k2=c#frag').getScheme() == 'https'",
                "url('https://user:pass@example.com:80/path?k=a').getHost() == 'example.com:80'",
                "url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() == '80'",
                "url('https://example.com:80/path with spaces/').getEscapedPath() == '/path%20with%20spaces/' || true",
                "url('https://example.com/path?k1=a&k2=b&k2=c').getQuery() == {'k1': ['a'], 'k2': ['b', 'c']}",
                "isURL('https://user:pass@example.com:80/path?query=val#fragment') && isURL('/absolute-path') && !isURL('relative-path')",
                "!isURL('https://a:b:c/') && !isURL('../relative-path') && !isURL('') && !isURL('http://a b/')",
                "quantity('500Mi').isLessThan(quantity('1Gi'))",
                "quantity('200M').compareTo(quantity('0.2G')) == 0 && quantity('200M') == quantity('0.2G')",
                "quantity('50k').add(quantity('20k')).compareTo(quantity('70k')) == 0 && quantity('50k').sub(20000) == quantity('30k')",
                "quantity('50k').asInteger() == 50000 && quantity('50k').isInteger() && !quantity('1.5').isInteger()",
                "quantity('-5').sign() == -1 && quantity('1.5').asApproximateFloat() == 1.5 && isQuantity('1.5Gi') && !isQuantity('x')",
                "ip('127.0.0.1').family() == 4 && ip('::1').family() == 6 && isIP('1.2.3.4') && !isIP('1.2.3.256') && !isIP('01.2.3.4')",
                "ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('224.0.0.1').isLinkLocalMulticast()",
                "ip('169.254.169.254').isLinkLocalUnicast() && ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
                "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD') && string(ip('::1')) == '::1' && type(ip('::1')) == net.IP",
                "cidr('192.168.0.0/24').containsIP('192.168.0.1') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))",
                "cidr('192.168.0.0/24').containsCIDR('192.168.0.0/25') && !cidr('192.168.0.0/24').containsCIDR(cidr('192.168.0.0/23'))",
                "cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24') && cidr('::1/128').prefixLength() == 128",
                "cidr('192.168.0.0/24').ip() == ip('192.168.0.0') && isCIDR('::1/128') && !isCIDR('1.2.3.4/33')",
                "!format.dns1123Label().validate('contains a space').hasValue() == false && !format.dns1123Label().validate('my-label').hasValue()",
                "format.named('uuid').hasValue() && !format.named('nope').hasValue() && format.uuid().validate('123').value() == ['does not match the UUID format']",
                "format.labelValue().validate('a_b').orValue([]) == [] && format.qualifiedName().validate('a/b/c').hasValue() && format.date().validate('2021-01-01') == optional.none()",
                "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v1.2', true).minor() == 2 && isSemver('1.2.3-beta.1') && !isSemver('v1.0')",
                "semver('1.2.3').compareTo(semver('1.2.3')) == 0 && semver('1.2.3').major() == 1 && semver('1.2.3').patch() == 3 && isSemver('v01.01', true)",
                "semver('1.0.0-alpha').isLessThan(semver('1.0.0')) && semver('1.0.0-alpha.1').isGreaterThan(semver('1.0.0-alpha'))"
            })
    void givenFunction_whenCalled_thenItAnswersAsDocumented(String expression) {
        CelProgram.Outcome outcome = LanguageTest.evaluate(expression);

        assertThat(outcome.error()).isNull();
        assertThat(outcome.value()).isEqualTo(true);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'hello'.charAt(6) == '' | index out of range: 6",
                "'tacocat'.substring(40) == '' | index out of range: 40",
                "'tacocat'.substring(5, 4) == '' | invalid substring range. start: 5, end: 4",
                "['a'].filter(x, x == 'b').min() == 'a' | min called on empty list",
                "quantity('x') == quantity('1') | quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
                "quantity('1.5').asInteger() == 1 | cannot convert value to integer",
                "url('relative') == url('/a') | URL parse error during conversion from string: parse \"relative\": invalid URI for request",
                "semver('1.2') == semver('1.2.0') | No Major.Minor.Patch elements found"
            })
    void givenFunction_whenItCannotAnswer_thenTheErrorSaysWhy(String expression, String error) {
        assertThat(LanguageTest.evaluate(expression).error()).isEqualTo(error);
    }
}
