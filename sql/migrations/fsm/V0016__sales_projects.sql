-- fsm V0016: projects of customers, and who has been responsible for each of them, and when.
--            Not app.projects: that is the work of an organization, this is a customer's building site.
-- Lock: SHARE ROW EXCLUSIVE on auth.users, countries and business_units for the foreign keys; nothing is scanned.

CREATE TABLE public.projects (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    project_name VARCHAR(255) NOT NULL,
    customer_id UUID NOT NULL,
    country_code VARCHAR(2) NOT NULL REFERENCES public.countries (code),
    business_unit_id UUID NOT NULL REFERENCES public.business_units (id),
    status VARCHAR(50) NOT NULL,

    responsible_operator_id UUID REFERENCES auth.users (id),
    assignment_mode VARCHAR(20) CHECK (assignment_mode IN ('AUTO', 'MANUAL')),
    assigned_at TIMESTAMPTZ,
    assigned_by VARCHAR(100),

    created_at TIMESTAMPTZ DEFAULT now(),
    updated_at TIMESTAMPTZ DEFAULT now()
);

CREATE INDEX idx_projects_responsible_operator ON public.projects (responsible_operator_id);
CREATE INDEX idx_projects_assignment_mode ON public.projects (assignment_mode);
CREATE INDEX idx_projects_customer ON public.projects (customer_id);
CREATE INDEX idx_projects_country_bu ON public.projects (country_code, business_unit_id);
CREATE INDEX idx_projects_business_unit_id ON public.projects (business_unit_id);

COMMENT ON COLUMN public.projects.responsible_operator_id IS 'Pilote du Chantier; project_ownership_history follows it';
COMMENT ON COLUMN public.projects.assigned_by IS 'User ID or ''SYSTEM''';

CREATE TABLE public.project_ownership_history (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id UUID NOT NULL REFERENCES public.projects (id) ON DELETE CASCADE,
    previous_operator_id UUID REFERENCES auth.users (id),
    new_operator_id UUID REFERENCES auth.users (id),
    changed_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    changed_by VARCHAR(100) NOT NULL,
    reason VARCHAR(255)
);

CREATE INDEX idx_ownership_history_project ON public.project_ownership_history (project_id);
CREATE INDEX idx_ownership_history_operator ON public.project_ownership_history (new_operator_id);
CREATE INDEX idx_ownership_history_previous ON public.project_ownership_history (previous_operator_id);
CREATE INDEX idx_ownership_history_changed_at ON public.project_ownership_history (changed_at DESC);

COMMENT ON COLUMN public.project_ownership_history.changed_by IS 'User ID or ''SYSTEM''';

-- Writes every change of responsible_operator_id into the history. Changed by: what the statement writes into
-- assigned_by, else who is asking (app.current_user_id), else SYSTEM. Reason: the setting app.change_reason, if any.
-- SECURITY DEFINER: nobody writes the history but this.
CREATE FUNCTION public.log_project_ownership()
RETURNS TRIGGER
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_previous UUID;
    v_assigned_by TEXT := NEW.assigned_by;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        v_previous := OLD.responsible_operator_id;
        IF NEW.assigned_by IS NOT DISTINCT FROM OLD.assigned_by THEN
            v_assigned_by := NULL;
        END IF;
    END IF;

    IF NEW.responsible_operator_id IS DISTINCT FROM v_previous THEN
        INSERT INTO public.project_ownership_history
            (project_id, previous_operator_id, new_operator_id, changed_at, changed_by, reason)
        VALUES (
            NEW.id,
            v_previous,
            NEW.responsible_operator_id,
            clock_timestamp(),
            COALESCE(v_assigned_by, NULLIF(current_setting('app.current_user_id', TRUE), ''), 'SYSTEM'),
            left(NULLIF(current_setting('app.change_reason', TRUE), ''), 255)
        );
    END IF;

    RETURN NULL;
END;
$$;

REVOKE EXECUTE ON FUNCTION public.log_project_ownership() FROM PUBLIC;

CREATE TRIGGER log_project_ownership
    AFTER INSERT OR UPDATE OF responsible_operator_id ON public.projects
    FOR EACH ROW
    EXECUTE FUNCTION public.log_project_ownership();

CREATE TRIGGER set_timestamp
    BEFORE UPDATE ON public.projects
    FOR EACH ROW
    EXECUTE FUNCTION public.trigger_set_timestamp();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.projects TO fsm_app;
GRANT SELECT ON public.project_ownership_history TO fsm_app;
