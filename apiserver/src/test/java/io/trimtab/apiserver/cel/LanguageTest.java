package io.trimtab.apiserver.cel;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LanguageTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final CelEnvironment ENV = CelEnvironment.base().with("object", CelType.DYN);

    static CelProgram.Outcome evaluate(String expression) {
        CelEnvironment.Compilation compiled = ENV.compile(expression);
        assertThat(compiled.issues()).isEmpty();
        CelProgram program = compiled.program();
        assertThat(program).isNotNull();
        return program.evaluate(name -> {
            try {
                return Values.of(JSON.readTree(
                        "{'metadata':{'name':'a','labels':{'x':'y'}},'spec':{'n':3,'list':[1,2,3],'f':1.5,'big':[]}}"
                                .replace('\'', '"')));
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1 + 2 * 3 == 7 && !(2 > 3)",
                "'a' + 'b' == \"ab\" && 'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('bc')",
                "'x' in ['x', 'y'] && !('z' in {'x': 1})",
                "[1, 2, 3].all(i, i > 0) && [1, 2].exists(i, i == 2) && [1, 2, 2].exists_one(i, i == 1)",
                "[1, 2, 3].map(i, i * 2) == [2, 4, 6] && [1, 2, 3].filter(i, i > 1) == [2, 3]",
                "[1, 2, 3].map(i, i > 1, i * 2) == [4, 6]",
                "{'a': 1, 'b': 2}.all(k, k != 'c') && {'a': 1}['a'] == 1 && {'a': 1}.a == 1",
                "object.spec.n == 3 && object.spec.f == 1.5 && object.spec.list[1] == 2",
                "has(object.spec.n) && !has(object.spec.missing) && has(object.metadata.labels.x)",
                "object.?spec.?missing.orValue('d') == 'd' && object.?spec.?n.orValue(0) == 3",
                "object.spec.list[?7].orValue(9) == 9 && optional.of(1).optMap(x, x + 1) == optional.of(2)",
                "optional.none().optFlatMap(x, optional.of(x)) == optional.none()",
                "true || object.missing && false || 1 / 0 == 1",
                "[1, 2].exists(i, 1 / (i - 1) == 1) && ![0, 1].all(i, 1 / i == 2)",
                "type(1) == int && type('a') == string && type(object) == map && type(type(1)) == type",
                "int('5') == 5 && string(5) == '5' && double('1.5') == 1.5 && uint(3) == 3u && bool('true')",
                "dyn(1) == 1.0 && 1 < 1.5 && 2u > 1 && dyn(1) == dyn(1.0) && 1 != 2",
                "-5 == 0 - 5 && 7 % 3 == 1 && 7 / 2 == 3 && -(-5) == 5 && !!true",
                "duration('1h30m') == duration('90m') && duration('90m').getHours() == 1 && string(duration('90s')) == '90s'",
                "timestamp('2023-01-02T03:04:05Z').getFullYear() == 2023",
                "timestamp('2023-01-02T03:04:05Z').getHours('+02:00') == 5",
                "timestamp('2023-01-02T03:04:05Z') + duration('1h') > timestamp('2023-01-02T03:04:05Z')",
                "'abc'.matches('^a.c$') && 'héllo'.size() == 5 && size([1, 2]) == 2 && b'abc'.size() == 3",
                "r'\\d' == '\\\\d' && '''a\nb''' == 'a\\nb' && '\\u00e9' == 'é' && '\\x41' == 'A'",
                "0x10 == 16 && 1e3 == 1000.0 && .5 == 0.5",
                "(true ? 1 : 2) == 1 && (false ? 1 : true ? 3 : 4) == 3",
                "[1, 2, 3].transformList(i, v, i + v) == [1, 3, 5] && {'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
                "['x', 'y'].all(i, v, i < 2 && v != '') && {'a': 1}.exists(k, v, k == 'a' && v == 1)",
                "{'a': 'b'}.transformMapEntry(k, v, {v: k}) == {'b': 'a'}",
                "[optional.of(1), optional.none()].unwrapOpt() == [1] && [1, 2].first() == optional.of(1)",
                "[?optional.of(1), ?optional.none(), 3] == [1, 3] && {?'a': optional.none()} == {}",
                "null == null && object.spec != null && dyn(null) == null"
            })
    void givenExpression_whenEvaluated_thenItIsTrue(String expression) {
        CelProgram.Outcome outcome = evaluate(expression);

        assertThat(outcome.error()).isNull();
        assertThat(outcome.value()).isEqualTo(true);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "object.missing == 1 | no such key: missing",
                "object.spec.list[7] == 1 | index out of bounds: 7",
                "object.spec.n / 0 == 1 | division by zero",
                "object.spec.n % 0 == 1 | modulus by zero",
                "9223372036854775807 + object.spec.n == 1 | integer overflow",
                "object.spec.n + 'a' == 'b' | no such overload",
                "object.spec.n.startsWith('a') | no such overload",
                "int('x') == 1 | type conversion error from 'string' to 'int'",
                "optional.none().value() == 1 | optional.none() dereference",
                "object.spec.n.matches('a') | no such overload"
            })
    void givenExpression_whenItFails_thenTheErrorSaysWhy(String expression, String error) {
        assertThat(evaluate(expression).error()).isEqualTo(error);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1 + 'a' | 3 | found no matching overload for '_+_' applied to '(int, string)'",
                "foo.bar | 1 | undeclared reference to 'foo' (in container '')",
                "foo(1) | 4 | undeclared reference to 'foo' (in container '')",
                "'a'.foo() | 8 | undeclared reference to 'foo' (in container '')",
                "has(1) | 5 | invalid argument to has() macro",
                "[1].all(x, 5) | 12 | expected type 'bool' but found 'int'",
                "size(1) | 5 | found no matching overload for 'size' applied to '(int)'",
                "[1, 'a'] | 5 | expected type 'int' but found 'string'",
                "1 in 2 | 3 | found no matching overload for '@in' applied to '(int, int)'",
                "'a'.size | 4 | type 'string' does not support field selection",
                "timestamp('x') | 11 | invalid timestamp argument",
                "'a'.matches('[') | 13 | invalid matches argument",
                "9999999999999999999 | 1 | invalid int literal",
                "1.all(x, true) | 1 | expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"
            })
    void givenMistake_whenCompiled_thenItsPlaceAndSentenceAreAsInKubernetes(
            String expression, int column, String message) {
        CelEnvironment.Compilation compiled = ENV.compile(expression);

        assertThat(compiled.issues()).startsWith("ERROR: <input>:1:" + column + ": " + message + "\n | " + expression);
    }

    @Test
    void givenSyntaxError_whenCompiled_thenItSaysWhatCouldStandThere() {
        assertThat(ENV.compile("object.x +").issues())
                .isEqualTo(
                        "ERROR: <input>:1:11: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-',"
                                + " '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n"
                                + " | object.x +\n | ..........^");
    }

    @Test
    void givenLoop_whenItCostsTooMuch_thenItIsCancelled() {
        CelEnvironment.Compilation compiled =
                ENV.with("n", CelType.list(CelType.INT)).compile("n.all(a, n.all(b, n.all(c, a + b + c >= 0)))");
        CelList numbers =
                CelList.of(java.util.stream.LongStream.range(0, 200).boxed().toList());
        CelProgram program = compiled.program();
        assertThat(program).isNotNull();

        CelProgram.Outcome outcome =
                program.evaluate(name -> Map.of("n", numbers).get(name));

        assertThat(outcome.error()).isEqualTo("operation cancelled: actual cost limit exceeded");
        assertThat(outcome.isTooExpensive()).isTrue();
    }
}
