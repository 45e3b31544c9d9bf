-- Shelves whose step has changed (STEPS in inventory/postgres.py) and of which nobody has been told yet: what the worker tells,
-- it deletes.
CREATE TABLE stock_change (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store  integer NOT NULL,
    sku    integer NOT NULL,
    shadow boolean NOT NULL
);

-- Whoever tells of changes is woken by them and need not look.
CREATE FUNCTION tell_of_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify('freshmart_change', ''); RETURN NULL; END $$;

-- Whoever moves stock, its step is noted when it changes, which few orders do.
CREATE FUNCTION note_step() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO stock_change (store, sku, shadow) VALUES (NEW.store, NEW.sku, NEW.shadow); RETURN NULL; END $$;

CREATE TRIGGER note_step AFTER UPDATE OF on_hand ON stock FOR EACH ROW
    WHEN (width_bucket(OLD.on_hand, '{1,2,5,10,20,50,100,200,500,1000}'::integer[])
        <> width_bucket(NEW.on_hand, '{1,2,5,10,20,50,100,200,500,1000}'::integer[]))
    EXECUTE FUNCTION note_step();

CREATE TRIGGER tell_of_change AFTER INSERT ON price_change FOR EACH ROW EXECUTE FUNCTION tell_of_change();
CREATE TRIGGER tell_of_change AFTER INSERT ON stock_change FOR EACH ROW EXECUTE FUNCTION tell_of_change();
