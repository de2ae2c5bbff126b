-- SPDX-License-Identifier: MIT
-- A database in memory: rows, an index, sorts, groups, a join, deletes.
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
    INSERT INTO item SELECT i, 'item ' || (i * 7919 % 30011), i * 1.5 FROM n;
CREATE INDEX by_name ON item(name);
SELECT count(*), sum(length(name)) FROM item WHERE name LIKE 'item 9%';
SELECT name, count(*) AS c FROM item GROUP BY name ORDER BY c DESC, name LIMIT 3;
SELECT count(*) FROM item a JOIN item b ON a.name = b.name AND a.id < b.id;
DELETE FROM item WHERE id % 3 = 0;
SELECT count(*), round(sum(price), 1) FROM item;
SELECT group_concat(name, ',') FROM (SELECT name FROM item ORDER BY price DESC LIMIT 10);
