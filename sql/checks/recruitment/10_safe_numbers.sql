-- check: safe_numeric and safe_integer read numbers out of any text, give NULL for anything else, and never fail.

DO $$
DECLARE
    v_found TEXT;
BEGIN
    SELECT string_agg(format('%L: %s, %s', t.input, safe_numeric(t.input), safe_integer(t.input)), '; ') INTO v_found
    FROM (VALUES
        ('8.5', 8.5::FLOAT, NULL::INT),
        ('70000', 70000, 70000),
        ('-3', -3, -3),
        ('+3', 3, 3),
        (' 12 ', 12, 12),
        ('.5', 0.5, NULL),
        ('5.', 5, 5),
        ('1e3', 1000, 1000),
        ('1.5E-2', 0.015, NULL),
        ('2147483647', 2147483647, 2147483647),
        ('2147483648', 2147483648, NULL),
        ('-2147483648', -2147483648, -2147483648),
        ('-2147483649', -2147483649, NULL),
        ('high', NULL, NULL),
        ('15k', NULL, NULL),
        ('€70-90k', NULL, NULL),
        ('70,000', NULL, NULL),
        ('1_000', NULL, NULL),
        ('0x10', NULL, NULL),
        ('', NULL, NULL),
        (' ', NULL, NULL),
        ('.', NULL, NULL),
        ('-', NULL, NULL),
        ('1e', NULL, NULL),
        ('1 2', NULL, NULL),
        (E'1\n', NULL, NULL),
        ('NaN', NULL, NULL),
        ('Infinity', NULL, NULL),
        ('1e400', NULL, NULL),
        ('1e-400', NULL, NULL),
        (repeat('9', 400), NULL, NULL),
        (repeat('9', 64) || 'e99', NULL, NULL),
        (NULL, NULL, NULL)
    ) AS t (input, want_number, want_integer)
    WHERE safe_numeric(t.input) IS DISTINCT FROM t.want_number
       -- Fractions are rounded; which way a half goes, is left open.
       OR (safe_integer(t.input) IS DISTINCT FROM t.want_integer AND COALESCE(t.want_number = trunc(t.want_number::NUMERIC), TRUE));
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: read wrongly: %', v_found;
    END IF;

    IF safe_integer('15000.7') IS DISTINCT FROM 15001 OR safe_integer('2147483647.4') IS NOT NULL THEN
        RAISE EXCEPTION 'check failed: safe_integer rounds 15000.7 to % and 2147483647.4 to %',
            safe_integer('15000.7'), safe_integer('2147483647.4');
    END IF;
EXCEPTION WHEN data_exception THEN
    RAISE EXCEPTION 'check failed: a text that is no number, or too great a one, is an error: %', SQLERRM;
END;
$$;
