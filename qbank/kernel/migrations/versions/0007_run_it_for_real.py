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


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was taken before the upgrade")
