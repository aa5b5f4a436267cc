from django.db import migrations

# What was booked stays, sums up to zero in one currency, and stands on accounts of that currency. A payment keeps its terms, and never leaves
# a state that is final. `core_refuse_change` is of the core's migrations.
_RULES = """
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON payments_ledgerentry
FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER ledger_transaction_append_only BEFORE UPDATE OR DELETE ON payments_ledgertransaction
FOR EACH ROW EXECUTE FUNCTION core_refuse_change();

ALTER TABLE payments_ledgerentry ADD CONSTRAINT ledger_entry_in_the_currency_of_its_account
FOREIGN KEY (account_id, currency) REFERENCES payments_ledgeraccount (id, currency);

CREATE FUNCTION payments_require_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    concerned uuid := CASE TG_TABLE_NAME WHEN 'payments_ledgerentry' THEN (to_jsonb(NEW) ->> 'transaction_id') ELSE (to_jsonb(NEW) ->> 'id') END;
    entries record;
BEGIN
    SELECT count(*) AS number, sum(amount) AS total, count(DISTINCT currency) AS currencies INTO entries
    FROM payments_ledgerentry WHERE transaction_id = concerned;
    IF entries.number < 2 OR entries.total <> 0 OR entries.currencies <> 1 THEN
        RAISE EXCEPTION 'ledger transaction % does not balance', concerned USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_transaction_balances AFTER INSERT ON payments_ledgertransaction
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_require_balance();
CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON payments_ledgerentry
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_require_balance();

CREATE TRIGGER payment_keeps_its_terms BEFORE UPDATE ON payments_payment FOR EACH ROW
WHEN ((OLD.subject_id, OLD.attempt, OLD.payer_id, OLD.payee_id, OLD.amount, OLD.currency, OLD.fee_amount, OLD.tax_amount, OLD.window_days)
    IS DISTINCT FROM
    (NEW.subject_id, NEW.attempt, NEW.payer_id, NEW.payee_id, NEW.amount, NEW.currency, NEW.fee_amount, NEW.tax_amount, NEW.window_days))
EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER payment_stays_final BEFORE UPDATE ON payments_payment FOR EACH ROW
WHEN (OLD.state IN ('captured', 'cancelled') AND OLD.state <> NEW.state OR NEW.captured_amount <> OLD.captured_amount AND OLD.state = 'captured')
EXECUTE FUNCTION core_refuse_change();
"""
_NO_RULES = """
DROP TRIGGER payment_stays_final ON payments_payment;
DROP TRIGGER payment_keeps_its_terms ON payments_payment;
DROP TRIGGER ledger_entry_balances ON payments_ledgerentry;
DROP TRIGGER ledger_transaction_balances ON payments_ledgertransaction;
DROP FUNCTION payments_require_balance();
ALTER TABLE payments_ledgerentry DROP CONSTRAINT ledger_entry_in_the_currency_of_its_account;
DROP TRIGGER ledger_transaction_append_only ON payments_ledgertransaction;
DROP TRIGGER ledger_entry_append_only ON payments_ledgerentry;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0001_initial'),
        ('core', '0002_auditentry'),
    ]

    operations = [migrations.RunSQL(_RULES, _NO_RULES)]
