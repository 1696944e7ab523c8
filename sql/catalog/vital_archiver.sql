-- Is WAL archived, and does it fail?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.current_setting('archive_mode') AS mode,
    a.archived_count AS archived,
    a.failed_count AS failed,
    a.last_failed_wal,
    pg_catalog.date_part('epoch', pg_catalog.now() - a.last_archived_time)::float8 AS archived_seconds,
    pg_catalog.date_part('epoch', pg_catalog.now() - a.last_failed_time)::float8 AS failed_seconds,
    COALESCE(a.last_failed_time > COALESCE(a.last_archived_time, '-infinity'), FALSE) AS failing
FROM pg_catalog.pg_stat_archiver AS a
