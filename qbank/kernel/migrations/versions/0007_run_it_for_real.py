"""run it for real."""

import sqlalchemy as sa
from alembic import op

import qbank.kernel.times

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ended_sign_ins',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('ended_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_ended_sign_ins'))
    )
    with op.batch_alter_table('ended_sign_ins', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ended_sign_ins_ended_at'), ['ended_at'], unique=False)

    op.create_table('finding_records',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('host', sa.String(length=200), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('well', sa.Boolean(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('remedy', sa.Text(), nullable=False),
    sa.Column('advice', sa.Text(), nullable=False),
    sa.Column('since', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('looked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('told_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_finding_records')),
    sa.UniqueConstraint('host', 'subject', name=op.f('uq_finding_records_host_subject'))
    )
    op.create_table('first_runs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('begun_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_first_runs'))
    )
    op.create_table('host_keys',
    sa.Column('name', sa.String(length=30), nullable=False),
    sa.Column('mark', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_host_keys'))
    )
    op.create_table('mail_settings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('host', sa.String(length=200), nullable=False),
    sa.Column('port', sa.Integer(), nullable=False),
    sa.Column('security', sa.Enum('TLS', 'STARTTLS', 'NONE', name='security', native_enum=False, length=10), nullable=False),
    sa.Column('login', sa.String(length=200), nullable=False),
    sa.Column('password_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('sender', sa.String(length=200), nullable=False),
    sa.Column('recipient', sa.String(length=200), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_settings'))
    )
    op.create_table('sweep_turns',
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('done_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_sweep_turns'))
    )
    op.create_table('erasures',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('people', sa.JSON(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('ASKED', 'DONE', 'REFUSED', name='destructionstate', native_enum=False, length=10), nullable=False),
    sa.Column('asked_by', sa.Integer(), nullable=False),
    sa.Column('asked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('erased', sa.JSON(), nullable=False),
    sa.Column('kept', sa.JSON(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'ASKED') = (decided_by IS NULL)", name=op.f('ck_erasures_decided')),
    sa.CheckConstraint('decided_by IS NULL OR decided_by <> asked_by', name=op.f('ck_erasures_two_persons')),
    sa.ForeignKeyConstraint(['asked_by'], ['accounts.id'], name=op.f('fk_erasures_asked_by_accounts')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_erasures_decided_by_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_erasures_institution_id_institutions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_erasures'))
    )
    with op.batch_alter_table('erasures', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_erasures_institution_id'), ['institution_id'], unique=False)

    op.create_table('factor_resets',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('ASKED', 'DONE', 'REFUSED', name='resetstate', native_enum=False, length=10), nullable=False),
    sa.Column('asked_by', sa.Integer(), nullable=False),
    sa.Column('asked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('row_version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'ASKED') = (decided_by IS NULL)", name=op.f('ck_factor_resets_decided')),
    sa.CheckConstraint('account_id <> asked_by AND (decided_by IS NULL OR account_id <> decided_by)', name=op.f('ck_factor_resets_not_oneself')),
    sa.CheckConstraint('decided_by IS NULL OR decided_by <> asked_by', name=op.f('ck_factor_resets_two_persons')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_factor_resets_account_id_accounts')),
    sa.ForeignKeyConstraint(['asked_by'], ['accounts.id'], name=op.f('fk_factor_resets_asked_by_accounts')),
    sa.ForeignKeyConstraint(['decided_by'], ['accounts.id'], name=op.f('fk_factor_resets_decided_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_factor_resets'))
    )
    with op.batch_alter_table('factor_resets', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_factor_resets_account_id'), ['account_id'], unique=False)

    op.create_table('person_exports',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('taken_by', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.CheckConstraint("reason <> ''", name=op.f('ck_person_exports_reason')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_person_exports_account_id_accounts')),
    sa.ForeignKeyConstraint(['taken_by'], ['accounts.id'], name=op.f('fk_person_exports_taken_by_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person_exports'))
    )
    with op.batch_alter_table('person_exports', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_person_exports_account_id'), ['account_id'], unique=False)

    op.create_table('recovery_codes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('code_hash', sa.Text(), nullable=False),
    sa.Column('used_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_recovery_codes_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_codes')),
    sa.UniqueConstraint('account_id', 'place', name=op.f('uq_recovery_codes_account_id_place'))
    )
    op.create_table('totp_steps',
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('step', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_totp_steps_account_id_accounts')),
    sa.PrimaryKeyConstraint('account_id', 'step', name=op.f('pk_totp_steps'))
    )
    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('totp_sealed', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('totp_since', qbank.kernel.times.UtcDateTime(), nullable=True))

    with op.batch_alter_table('exam_plans', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_exam_plans_starts_on'), ['starts_on'], unique=False)

    with op.batch_alter_table('grants', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_grants_role_institution_id'), ['role', 'institution_id'], unique=False)

    with op.batch_alter_table('group_members', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_group_members_enrolment_id'), ['enrolment_id'], unique=False)

    with op.batch_alter_table('import_batches', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_import_batches_institution_id'), ['institution_id'], unique=False)

    with op.batch_alter_table('incidents', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_incidents_sheet_id'), ['sheet_id'], unique=False)

    with op.batch_alter_table('item_versions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_item_versions_author_id'), ['author_id'], unique=False)

    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.add_column(sa.Column('holder', sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column('beat_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('tries', sa.Integer(), server_default='0', nullable=False))
        batch_op.create_index('ix_jobs_state_id', ['state', 'id'], unique=False)

    with op.batch_alter_table('reviews', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reviews_reviewer_id'), ['reviewer_id'], unique=False)

    with op.batch_alter_table('room_invigilators', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_room_invigilators_account_id'), ['account_id'], unique=False)

    with op.batch_alter_table('rubrics', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rubrics_institution_id'), ['institution_id'], unique=False)

    with op.batch_alter_table('second_keys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_second_keys_reviewer_id'), ['reviewer_id'], unique=False)

    with op.batch_alter_table('sheets', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sheets_seat_id'), ['seat_id'], unique=False)

    with op.batch_alter_table('sittings', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sittings_state_starts_at'), ['state', 'starts_at'], unique=False)

    with op.batch_alter_table('supervisions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_supervisions_supervisor_id'), ['supervisor_id'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was taken before the upgrade")
