-- Functions of the database: reference_key(text), tracking_key(text) and tracking_keys(text). Migrations create them.

CREATE OR REPLACE FUNCTION reference_key(reference text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  found text := reference;
BEGIN
  IF found IS NULL OR found = '' THEN
    RETURN NULL;
  END IF;
  IF length(found) > 200 THEN
    RETURN left(upper(found), 160) || md5(upper(found));
  END IF;
  found := btrim(regexp_replace(upper(found), '[\s\-\u2010-\u2015\u2212\u00a0_./\\#:,;()]+', ' ', 'g'));
  found := regexp_replace(
    found, '^(P ?O|PURCHASE ORDER|SALES ORDER|ORDER|BESTELLUNG|AUFTRAG|COMMANDE|REF)( (NO|NR|NUMBER|NUMMER|N))? ?(?=[0-9])', '');
  found := regexp_replace(found, '^(NO|NR) ?(?=[0-9])', '');
  found := regexp_replace(found, '(^|[^0-9])0+(?=[0-9])', '\1', 'g');
  found := regexp_replace(found, '(?<![0-9]) | (?![0-9])', '', 'g');
  RETURN NULLIF(found, '');
END
$$;

CREATE OR REPLACE FUNCTION tracking_key(number text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT NULLIF(left(regexp_replace(upper(number), '[^[:alnum:]]+', '', 'g'), 200), '')
$$;

-- It calls no other function of the tower's: an index may be built where none of them is on the search path.
CREATE OR REPLACE FUNCTION tracking_keys(field text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  part text;
  word text;
  found text[] := '{}';
BEGIN
  IF field IS NULL OR field = '' THEN
    RETURN found;
  END IF;
  FOREACH part IN ARRAY regexp_split_to_array(left(upper(field), 4000), '[,;|+&\n\r\t]+') LOOP
    -- One number in groups, or several with nothing but spaces between them: both are looked for.
    found := found || left(regexp_replace(part, '[^[:alnum:]]+', '', 'g'), 200);
    FOREACH word IN ARRAY regexp_split_to_array(btrim(part), '\s+') LOOP
      word := left(regexp_replace(word, '[^[:alnum:]]+', '', 'g'), 200);
      IF length(word) >= 8 THEN
        found := found || word;
      END IF;
    END LOOP;
  END LOOP;
  RETURN array_remove(found, '');
END
$$
